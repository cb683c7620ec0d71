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

pub mod account {
    pub const CHANGE_PASSWORD: &str = "Passwort ändern";
    pub const CHANGE_PASSWORD_TITLE: &str = "Passwort ändern";
    pub const CONFIRMED: &str = "Ihre E-Mail-Adresse ist bestätigt.";
    pub const CURRENT_PASSWORD: &str = "Bisheriges Passwort";
    pub const CUSTOM_REQUESTS: &str = "Anfragen";
    pub const LINK_SENT: &str = "Wir haben Ihnen einen Link geschickt. Öffnen Sie ihn in diesem Browser, \
         um die Adresse zu bestätigen.";
    pub const NO_MAIL: &str = "Keine E-Mail erhalten?";
    pub const PARTS: &str = "Bereiche des Kontos";
    pub const PASSWORD_CHANGED: &str = "Ihr Passwort ist geändert. Überall sonst sind Sie abgemeldet.";
    pub const PASSWORD_HELP: &str = "Nur nötig, wenn Sie die E-Mail-Adresse ändern. Wir schicken einen Link an die \
         neue Adresse. Sie gilt, sobald Sie den Link öffnen.";
    pub const PROFILE_SAVED: &str = "Ihr Profil ist gespeichert.";
    pub const SEND_AGAIN: &str = "Link noch einmal schicken";
    pub const SESSIONS: &str = "Ihre Sitzungen";
    pub const THIS_BROWSER: &str = "Dieser Browser";
    pub const UNKNOWN_BROWSER: &str = "Unbekannter Browser";

    /// Such as "Firefox on Linux".
    pub fn browser_on_system(browser: &str, system: &str) -> String {
        format!("{browser} unter {system}")
    }

    /// Before the time, such as "5 min ago".
    pub fn since_and_last_seen(date: &str) -> String {
        format!("Seit {date}, zuletzt aktiv: ")
    }

    pub fn sign_out_of(browser: &str) -> String {
        format!("{browser} abmelden")
    }

    /// Before [`NO_MAIL`], which leads to more about it.
    pub fn unconfirmed(email: &str) -> String {
        format!("{email} ist noch nicht bestätigt. Bitte öffnen Sie den Link, den wir dorthin geschickt haben. ")
    }

    pub fn unconfirmed_in_full(email: &str) -> String {
        format!(
            "{email} ist noch nicht bestätigt. Bis dahin schicken wir nur den Link zur Bestätigung dorthin. \
             Auch einen Link für ein neues Passwort schicken wir noch nicht."
        )
    }
}

pub mod chat_button {
    /// Before the title of the request.
    pub const ABOUT: &str = " über ";
    pub const CHAT: &str = "Chat";
    pub const LIVE: &str = "Live";
    pub const OFFLINE: &str = "Offline";
}

pub mod confirm {
    pub const CONFIRM: &str = "Ja, bestätigen";
    pub const CONFIRM_AND_SIGN_IN: &str = "Bestätigen und anmelden";
    pub const NOTE: &str = "Sie können das Passwort von Ihrer Registrierung verwenden. Sie werden hier angemeldet und \
         überall sonst abgemeldet. Haben Sie sich nicht registriert? Dann hat jemand anderes Ihre Adresse angegeben, \
         und Sie müssen nichts tun.";
    pub const SIGN_IN_FIRST: &str = "Melden Sie sich zuerst an";
    pub const TITLE: &str = "Adresse bestätigen";

    pub fn choose_password(email: &str) -> String {
        format!(
            "Es gibt ein Konto mit der Adresse {email}. \
             Wählen Sie ein Passwort dafür, um zu bestätigen, dass es Ihnen gehört."
        )
    }

    pub fn is_it_yours(email: &str) -> String {
        format!("Ist {email} Ihre E-Mail-Adresse?")
    }

    pub fn sign_in_to_confirm(email: &str) -> String {
        format!(
            "Jemand hat {email} als neue Adresse eines Kontos angegeben. \
             Wenn es Ihr Konto ist, melden Sie sich in diesem Browser dort an und öffnen Sie den Link noch einmal."
        )
    }
}

pub mod dashboard {
    pub const CUSTOMER_NAME: &str = "Name des Kunden";
    pub const FIRST_MESSAGE: &str = "Erste Nachricht";
    pub const NEW_CHAT: &str = "Neuer Chat";
    pub const OPEN_CHAT: &str = "Chat eröffnen";
    pub const YOU_GET_A_LINK: &str =
        "Sie erhalten einen Link. Alle, die ihn öffnen, können Ihnen sofort schreiben, auch ohne Konto.";
}

pub mod forgot {
    pub const BACK: &str = "Zurück zur Anmeldung";
    pub const CHOOSE: &str = "Neues Passwort wählen";
    pub const NOTHING_ARRIVED: &str =
        "Keine E-Mail erhalten? Sehen Sie im Spam-Ordner nach, oder wenden Sie sich direkt an uns.";
    pub const SAVE: &str = "Speichern und anmelden";
    pub const SEND: &str = "Link schicken";
    pub const SENT: &str = "Sehen Sie in Ihrem Postfach nach";
    pub const SIGNED_OUT_ELSEWHERE: &str = "Sie werden hier angemeldet und überall sonst abgemeldet.";
    pub const TITLE: &str = "Passwort vergessen?";
    pub const WE_SEND_A_LINK: &str = "Wir schicken Ihnen einen Link. Damit können Sie ein neues Passwort wählen.";

    pub fn on_its_way(email: &str) -> String {
        format!(
            "Wenn es hier ein Konto mit der Adresse {email} gibt, haben wir einen Link für ein neues Passwort \
             dorthin geschickt. Er gilt zwei Stunden."
        )
    }
}

/// Words that several forms share.
pub mod form {
    pub const CANCEL: &str = "Abbrechen";
    pub const CREATE_ACCOUNT: &str = "Konto anlegen";
    pub const EMAIL: &str = "E-Mail";
    pub const NEW_PASSWORD: &str = "Neues Passwort";
    pub const OPTIONAL: &str = "optional";
    pub const PASSWORD: &str = "Passwort";
    pub const PASSWORD_HELP: &str =
        "Mindestens 10 Zeichen. Mehrere Wörter hintereinander können Sie sich leicht merken.";
    pub const SAVE: &str = "Speichern";
    pub const SEARCH: &str = "Suchen";
    pub const YOUR_NAME: &str = "Ihr Name";
}

pub mod guest_chat {
    pub const TITLE: &str = "Chat";
}

pub mod home {
    pub const GO_TO_CHATS: &str = "Zu den Chats";
    pub const GO_TO_REQUESTS: &str = "Zu Ihren Anfragen";
    pub const GOT_A_LINK: &str = "Haben Sie einen Link erhalten? Öffnen Sie ihn einfach. Sie brauchen kein Konto.";
    pub const MAKE_A_REQUEST: &str = "Anfrage stellen";
    pub const SAMPLE: &str = "Beispiel für einen Chat";
    pub const SAMPLE_ANSWER: &str = "Ja. Ich ändere die Zeichnung.";
    pub const SAMPLE_NEWS: &str = "Die Bretter sind da. Die Maserung läuft der Länge nach, wie Sie es wollten.";
    pub const SAMPLE_QUESTION: &str = "Kann der unterste Boden 2 cm tiefer werden?";
    pub const TITLE: &str = "Für Sie gemacht, mit Ihnen besprochen.";

    pub fn lead(business: &str) -> String {
        format!(
            "Hier besprechen Kunden mit {business} die Einzelheiten einer Sonderanfertigung und verfolgen sie, \
             bis sie fertig ist. Die Menschen, die sie herstellen, antworten selbst."
        )
    }
}

pub mod invite {
    pub const HAVE_AN_ACCOUNT: &str =
        "Haben Sie schon ein Konto? Dann bitten Sie einen Admin, unter „Personen“ Ihre Rolle zu ändern.";
    pub const LEAD: &str = "Sie wurden als Admin eingeladen. Dieses Konto kann alle Chats sehen und beantworten.";
    pub const TITLE: &str = "Einladung";

    pub fn join(business: &str) -> String {
        format!("Einladung zu {business}")
    }
}

pub mod login {
    pub const FORGOT: &str = "Passwort vergessen?";

    pub fn got_a_link(business: &str) -> String {
        format!("Hat {business} Ihnen einen Link geschickt? Öffnen Sie ihn noch einmal. Sie brauchen kein Passwort.")
    }
}

pub mod logout {
    pub const SIGNED_OUT: &str = "Sie sind abgemeldet";
    pub const STAY: &str = "Angemeldet bleiben";
    pub const TITLE: &str = "Abmelden?";

    pub fn signed_in_as(name: &str) -> String {
        format!("Sie sind als {name} angemeldet.")
    }
}

/// Of forms that make an admin's account.
pub mod new_admin {
    pub const NAME_HELP: &str = "Kunden sehen ihn bei Ihren Nachrichten.";
}

pub mod people {
    pub const ACCOUNTS: &str = "Konten";
    pub const ADMIN: &str = "Admin";
    pub const INVITE: &str = "Admin einladen";
    pub const INVITE_HELP: &str = "Sie erhalten einen Link, der einmal und nur 7 Tage lang funktioniert. \
         Die Person, die ihn öffnet, kann alle Chats sehen und beantworten.";
    pub const LINK: &str = "Link der Einladung";
    pub const MADE: &str = "Dieser Link wird nur jetzt angezeigt. Schicken Sie ihn der Person, die Sie einladen.";
    pub const MAKE_ADMIN: &str = "Zum Admin machen";
    pub const MAKE_CUSTOMER: &str = "Zum Kunden machen";
    pub const MAKE_INVITATION: &str = "Einladung erstellen";
    pub const NAME_OR_EMAIL: &str = "Name oder E-Mail";
    pub const SEARCH: &str = "Personen suchen";
    pub const UNCONFIRMED: &str = "Adresse nicht bestätigt";
    pub const WITHDRAW: &str = "Zurückziehen";
    pub const YOU: &str = "Sie";

    pub fn email_and_since(email: &str, date: &str) -> String {
        format!("{email}, seit {date}")
    }

    pub fn invitation(invited_by: &str, until: &str) -> String {
        format!("Einladung von {invited_by}, gültig bis {until}")
    }

    pub fn make_admin_of(name: &str) -> String {
        format!("Zum Admin machen: {name}")
    }

    pub fn make_customer_of(name: &str) -> String {
        format!("Zum Kunden machen: {name}")
    }
}

pub mod problem_page {
    pub const ALLOW_COOKIES: &str = "Wenn der Link hierher führt, hat Ihr Browser das nötige Cookie vielleicht nicht \
         gespeichert. Erlauben Sie Cookies für diese Website, und öffnen Sie den Link noch einmal.";
    pub const BACK_TO_CHATS: &str = "Zurück zu den Chats";
    pub const BACK_TO_START: &str = "Zurück zur Startseite";
    pub const BACK_TO_YOUR_CHATS: &str = "Zurück zu Ihren Chats";
    pub const GONE: &str = "Diese Adresse ist falsch, oder die Seite wurde entfernt.";
    pub const GOT_A_LINK: &str = "Haben Sie einen Link zu einem Chat erhalten?";
    pub const LINK_REPLACED: &str = "Vielleicht wurde der Link ersetzt. Bitten Sie um einen neuen.";
    pub const NOTHING_HERE: &str = "Hier ist nichts";
    pub const OPEN_AGAIN: &str = "Öffnen Sie diesen Link noch einmal. Eine Adresse aus einem anderen Browser \
         funktioniert nicht. Ein Chat öffnet sich nur in dem Browser, in dem Sie seinen Link geöffnet haben.";
    pub const YOUR_TEXT: &str = "Ihr Text";
}

pub mod reference {
    /// Before the type of a call's body.
    pub const BODY: &str = "Inhalt: ";
    pub const OPENAPI: &str = "OpenAPI-Beschreibung für Werkzeuge";
    /// Before the path that all addresses begin with.
    pub const PREFIX: &str = "Alle Adressen beginnen mit ";
    pub const TITLE: &str = "API";
    pub const TYPES: &str = "Typen";
}

pub mod register {
    pub const ALREADY_REGISTERED: &str = "Sind Sie schon registriert?";
    pub const CHATS_COME_ALONG: &str =
        "Chats, die Sie in diesem Browser über einen Link geöffnet haben, sind dann auch in Ihrem Konto.";

    pub fn lead(business: &str) -> String {
        format!("Mit einem Konto können Sie Sonderanfertigungen bei {business} anfragen und den Fortschritt verfolgen.")
    }
}

pub mod request_pages {
    pub const ALL_REQUESTS: &str = "Alle Anfragen";
    pub const BUDGET: &str = "Budget";
    pub const CUSTOM_REQUESTS: &str = "Anfragen";
    pub const DESCRIPTION: &str = "Beschreibung";
    pub const DESCRIPTION_HELP: &str = "Größe, Material, Zweck und alles, was Ihnen sonst wichtig ist.";
    pub const MY_REQUESTS: &str = "Meine Anfragen";
    pub const NEW: &str = "Neue Anfrage";
    pub const NEW_TITLE: &str = "Was sollen wir für Sie anfertigen?";
    pub const SEARCH: &str = "Anfragen suchen";
    pub const SEND: &str = "Anfrage senden";
    pub const SHOW: &str = "Anzeigen";
    pub const SORT_BY: &str = "Sortieren nach";
    pub const TITLE: &str = "Was soll es werden?";
    pub const TITLE_HELP: &str = "Wenige Wörter, zum Beispiel „Eichentisch für einen Erker“.";
    pub const WANTED_BY: &str = "Gewünscht bis";

    pub fn budget_help(currency: &str) -> String {
        format!("In {currency}. Eine ungefähre Angabe genügt.")
    }

    pub fn lead(business: &str) -> String {
        format!("{business} antwortet Ihnen in einem Chat zu Ihrer Anfrage.")
    }
}

pub mod setup {
    pub const LEAD: &str = "Dies ist das erste Konto. Es kann alle Chats sehen und beantworten.";
    pub const TITLE: &str = "Einrichten";
}

pub mod tokens {
    pub const API_REFERENCE: &str = "API-Dokumentation";
    pub const LEAD: &str = "Ein Programm mit einem API-Schlüssel kann alles tun, was Sie tun können. ";
    pub const MADE: &str = "Dieser API-Schlüssel wird nur jetzt angezeigt. \
         Kopieren Sie ihn in das Programm, das ihn verwendet.";
    pub const MAKE: &str = "API-Schlüssel erstellen";
    pub const NAME: &str = "Wofür ist er?";
    pub const NAME_HELP: &str = "Wenige Wörter, an denen Sie diesen API-Schlüssel später erkennen.";
    pub const NEW: &str = "Der neue API-Schlüssel";
    pub const REVOKE: &str = "Widerrufen";
    pub const UNNAMED: &str = "Ohne Namen";

    pub fn acts_as(user: &str, date: &str) -> String {
        format!("Handelt für {user}, seit {date}")
    }

    pub fn revoke(name: &str) -> String {
        format!("{name} widerrufen")
    }
}

// ---- Refusals, e-mails and documents

pub mod problem {
    pub const SIGN_IN: &str = "Bitte melden Sie sich an.";
}
