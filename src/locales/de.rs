//! Die Texte auf Deutsch. Die Sätze sind kurz. Kunden werden mit „Sie“ angeredet.

/// The frame around pages.
pub mod frame {
    pub const ACCOUNT: &str = "Konto";
    pub const API_TOKENS: &str = "API-Schlüssel";
    pub const CHATS: &str = "Chats";
    pub const MY_ACCOUNT: &str = "Mein Konto";
    pub const PEOPLE: &str = "Personen";
    pub const PROFILE: &str = "Profil";
    pub const PROFILE_AND_SECURITY: &str = "Profil und Sicherheit";
    pub const REGISTER: &str = "Registrieren";
    pub const RELOAD: &str = "Neu laden";
    pub const REQUESTS: &str = "Anfragen";
    pub const SECURITY: &str = "Sicherheit";
    pub const SIGN_IN: &str = "Anmelden";
    pub const SIGN_OUT: &str = "Abmelden";
    pub const SIGNED_IN_AS: &str = "Angemeldet als ";
    pub const SKIP: &str = "Zum Inhalt springen";
    pub const SOMEBODY_ELSE: &str =
        "Sie sind in diesem Browser jetzt als jemand anderes angemeldet. Laden Sie die Seite neu.";
    // What `ui/boot.js` says.
    pub const UPDATED: &str = "Diese Website wurde aktualisiert, während die Seite offen war.";
    pub const BROKEN: &str = "Auf dieser Seite ist etwas schiefgegangen.";
    pub const CUT_OFF: &str = "Diese Seite ist nicht vollständig angekommen.";
}

// ---- Islands and their components

// ---- Pages

// ---- Refusals, e-mails and documents

pub mod problem {
    pub const SIGN_IN: &str = "Bitte melden Sie sich an.";
}
