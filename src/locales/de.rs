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

pub mod chat {
    pub const ABOUT: &str = "Über diesen Chat";

    pub fn and(first: &str, last: &str) -> String {
        format!("{first} und {last}")
    }

    pub fn are_here(names: &str) -> String {
        format!("{names} sind hier")
    }

    pub fn are_typing(names: &str) -> String {
        format!("{names} schreiben…")
    }

    pub const BACK: &str = "Zurück zu allen Chats";
    pub const CANCEL: &str = "Abbrechen";

    pub fn chat_with(name: &str) -> String {
        format!("Chat mit {name}")
    }

    pub const CHOOSE: &str = "Wählen Sie einen Chat";
    pub const CHOOSE_HELP: &str = "Oder öffnen Sie einen neuen: Sie erhalten einen Link für Ihren Kunden.";
    pub const CLOSE: &str = "Schließen";
    pub const CLOSED: &str = "Dieser Chat wurde geschlossen.";

    pub fn closed_by(day: &str, name: &str) -> String {
        format!("Dieser Chat wurde am {day} von {name} geschlossen.")
    }

    pub fn closed_on(day: &str) -> String {
        format!("Dieser Chat wurde am {day} geschlossen.")
    }

    pub const CLOSE_PANEL: &str = "Den Chat schließen";
    pub const CONNECTING: &str = "Verbinden…";
    pub const DELETE: &str = "Löschen";
    pub const DELETED: &str = "Nachricht gelöscht";
    pub const EARLIER: &str = "Frühere Nachrichten";
    pub const EDIT: &str = "Bearbeiten";
    pub const EDITED: &str = "bearbeitet";
    pub const EDIT_HINT: &str = "Esc zum Abbrechen";
    pub const EDIT_KEPT: &str = "Diese Nachricht lässt sich nicht mehr ändern. Ihr Text bleibt als Entwurf erhalten.";
    pub const EDIT_MESSAGE: &str = "Nachricht bearbeiten";
    pub const EDIT_OFFLINE: &str = "Nachrichten lassen sich ändern, sobald die Verbindung wieder steht.";
    pub const ENDED: &str = "Beendet";
    pub const FILES: &str = "Dateien";
    pub const FILES_HELP: &str = "Höchstens zehn. Bilder erscheinen im Chat, alles andere lässt sich speichern.";
    pub const GONE_ACCOUNT: &str = "Sie wurden abgemeldet. Bitte melden Sie sich wieder an.";
    pub const GONE_GUEST: &str = "Dieser Chat ist in diesem Browser nicht mehr offen. Öffnen Sie den Link noch einmal. Führt er ins Leere, bitten Sie um einen neuen.";

    pub fn is_here(names: &str) -> String {
        format!("{names} ist hier")
    }

    pub fn is_typing(names: &str) -> String {
        format!("{names} schreibt…")
    }

    pub const KEYS: &str = "Eingabetaste zum Senden, Umschalt + Eingabetaste für eine neue Zeile";

    pub fn last_here(when: &str) -> String {
        format!("Zuletzt hier: {when}")
    }

    pub const LIVE: &str = "Live";
    pub const LIVE_SLOW: &str = "Live (langsam)";
    pub const LOADING: &str = "Der Chat wird geladen…";
    pub const LOADING_EARLIER: &str = "Frühere Nachrichten werden geladen…";
    pub const MESSAGE: &str = "Nachricht";
    pub const MESSAGES: &str = "Nachrichten";

    pub fn message_to(name: &str) -> String {
        format!("Nachricht an {name}")
    }

    pub const NEW: &str = "Neu";
    pub const NOT_SENT: &str = "Nicht gesendet.";
    pub const OFFLINE: &str = "Offline";
    pub const OPTIONAL: &str = "freiwillig";
    pub const OPTIONS: &str = "Optionen der Nachricht";
    pub const PAUSED: &str = "Angehalten";
    pub const RECONNECTING: &str = "Neu verbinden…";
    pub const REOPEN: &str = "Wieder öffnen";
    pub const RETRY: &str = "Erneut senden";
    pub const SAVE: &str = "Speichern";

    pub fn seen(when: &str) -> String {
        format!("Gelesen {when}")
    }

    pub const SEND: &str = "Senden";
    pub const SEND_FILES: &str = "Dateien senden";
    pub const SENDING: &str = "Wird gesendet…";
    pub const SENT: &str = "Gesendet";

    pub fn sent_as_soon(count: usize) -> String {
        match count {
            1 => "1 Nachricht wird gesendet, sobald er wieder kann.".to_owned(),
            _ => format!("{count} Nachrichten werden gesendet, sobald er wieder kann."),
        }
    }

    pub fn sent_in_a_moment(count: usize) -> String {
        match count {
            1 => "1 Nachricht wird gleich gesendet.".to_owned(),
            _ => format!("{count} Nachrichten werden gleich gesendet."),
        }
    }

    pub fn sent_when_back(count: usize) -> String {
        match count {
            1 => "1 Nachricht wird gesendet, sobald Sie wieder verbunden sind.".to_owned(),
            _ => format!("{count} Nachrichten werden gesendet, sobald Sie wieder verbunden sind."),
        }
    }

    pub fn sent_when_signed_in(count: usize) -> String {
        match count {
            1 => "1 Nachricht wird gesendet, sobald Sie wieder angemeldet sind.".to_owned(),
            _ => format!("{count} Nachrichten werden gesendet, sobald Sie wieder angemeldet sind."),
        }
    }

    pub fn start(name: &str) -> String {
        format!("Nur Sie und {name} können diesen Chat lesen. Er bleibt erhalten, auch wenn er geschlossen ist.")
    }

    pub fn start_admin(name: &str) -> String {
        format!(
            "Nur Sie, Ihre Kollegen und {name} können diesen Chat lesen. Er bleibt erhalten, auch wenn er geschlossen ist."
        )
    }

    pub fn to_latest(new: usize) -> String {
        match new {
            0 => "Zur neuesten Nachricht".to_owned(),
            _ => format!("Zur neuesten Nachricht, {new} neue"),
        }
    }

    pub const TOO_LONG: &str = "Sie ist zu lang. Bitte senden Sie sie in Teilen.";
    pub const TRY_AGAIN: &str = "Erneut versuchen";
    pub const UNKEPT: &str = "Ihre Nachrichten ließen sich in diesem Browser nicht zwischenspeichern. Lassen Sie die Seite offen, bis sie gesendet sind.";
    pub const WRITE: &str = "Nachricht schreiben";
    pub const WRONG_CROWDED: &str =
        "Sie haben diese Website in vielen Fenstern offen. Dieses erfährt Neues etwas später.";
    pub const WRONG_ESTRANGED: &str = "Von hier wird im Moment nichts gesendet.";
    pub const WRONG_FAST: &str = "Sie schreiben schneller, als der Server annimmt.";
    pub const WRONG_LOST: &str = "Die Verbindung ist unterbrochen und wird wiederhergestellt.";
    pub const WRONG_OFFLINE: &str = "Sie sind offline.";
    pub const WRONG_SERVER: &str = "Der Server kann im Moment keine Nachrichten annehmen.";
    pub const YOU: &str = "Sie";
}

pub mod desk {
    pub const ABOUT: &str = "Thema";
    pub const CHATS: &str = "Chats";
    pub const CHAT_WITH: &str = "Chat mit";
    pub const CLOSE_CHAT: &str = "Chat schließen";
    pub const CLOSED: &str = "Geschlossen";
    pub const CLOSED_HELP: &str = "Dieser Chat lässt sich lesen, aber nicht beschreiben.";
    pub const CLOSE_HELP: &str =
        "Ein geschlossener Chat lässt sich lesen, aber nicht beschreiben. Sie können ihn wieder öffnen.";
    pub const COPIED: &str = "Kopiert";
    pub const COPIED_SEND_TO: &str = "Der Link ist kopiert. Senden Sie ihn an";
    pub const COPY: &str = "Kopieren";
    pub const COPY_KEYS: &str = "Strg + C drücken";
    pub const COPY_LINK: &str = "Link kopieren";
    pub const COPY_SEND_TO: &str = "Kopieren Sie diesen Link und senden Sie ihn an";
    pub const CUSTOMER: &str = "Kunde";
    pub const CUSTOMER_NAME: &str = "Name des Kunden";
    pub const EMAIL: &str = "E-Mail";
    pub const FIRST_MESSAGE: &str = "Erste Nachricht";
    pub const FOUND_FULL: &str = "Das sind die neuesten Nachrichten. Mehr Wörter finden weniger.";
    pub const GO_TO_CHAT: &str = "Zum Chat";
    pub const HERE_NOW: &str = ", gerade hier";
    pub const IS_OPEN: &str = "ist offen";
    pub const LINK: &str = "Link";
    pub const LINK_HELP: &str = "Mit diesem Link kann man hier lesen und schreiben. Ein neuer Link beendet diesen.";
    pub const LINK_LABEL: &str = "Link zu diesem Chat";
    pub const LINK_NONE: &str =
        "Zu diesem Chat gibt es gerade keinen Link. Nur Sie und Ihre Kollegen können ihn öffnen.";
    pub const LINK_WARNING: &str = ": Mit dem Link kann man in diesem Chat lesen und schreiben.";
    pub const MAKE_LINK: &str = "Link erstellen";
    pub const MESSAGES: &str = "Nachrichten";
    pub const MORE: &str = "Mehr";
    pub const NEW_CHAT: &str = "Neuer Chat";
    pub const NEW_LINK: &str = "Neuer Link";
    pub const NO_CLOSED: &str = "Keine geschlossenen Chats. Einen Chat, den Sie schließen, können Sie hier lesen.";
    pub const NO_MESSAGES: &str = "Noch keine Nachrichten";
    pub const NO_OPEN: &str = "Keine offenen Chats. Ein neuer beginnt mit einem Link, den Sie verschicken.";
    pub const NOTHING_FOUND: &str = "Nichts gefunden für";
    pub const OPEN: &str = "Offen";
    pub const OPEN_CHAT: &str = "Chat öffnen";
    pub const OPEN_CHATS: &str = "Offene Chats";
    pub const OPENED: &str = "Eröffnet";
    pub const REOPEN_CHAT: &str = "Chat wieder öffnen";
    pub const REVOKE_LINK: &str = "Link widerrufen";
    pub const SAVE_TRANSCRIPT: &str = "Protokoll speichern";
    pub const SEARCH: &str = "Suchen";
    pub const SEARCH_LABEL: &str = "Chats und Nachrichten durchsuchen";
    pub const SHOW_ALL: &str = "Alle zeigen";
    pub const SHOW_REQUEST: &str = "Anfrage zeigen";
    pub const STATUS: &str = "Status";
    pub const TRANSCRIPT: &str = "Protokoll";
    pub const TRANSCRIPT_HELP: &str = "Alle Nachrichten dieses Chats in einer Datei, zum Aufheben oder Drucken.";

    pub fn unread(count: i64) -> String {
        match count {
            1 => "1 ungelesene Nachricht".to_owned(),
            _ => format!("{count} ungelesene Nachrichten"),
        }
    }

    pub const WHICH: &str = "Welche Chats";
}

pub mod requests {
    pub const ABOUT: &str = "Über diese Anfrage";
    pub const ALL: &str = "Alle";

    pub fn amount(number: &str, currency: &str) -> String {
        format!("{number} {currency}")
    }

    pub const BUDGET: &str = "Budget";
    pub const BY: &str = "von";
    pub const CAPTION: &str = "Anfragen";
    pub const CHAT: &str = "Chat";
    pub const CHAT_WITH_ADMIN: &str = "Chat mit Admin";
    pub const CHAT_WITH_CUSTOMER: &str = "Chat mit dem Kunden";
    pub const CLOSED: &str = "Geschlossen";
    pub const CUSTOMER: &str = "Kunde";
    pub const LAST_ACTIVITY: &str = "Zuletzt aktiv";
    pub const LIST_EMPTY_AFTER: &str = "für Sie anfertigen soll, erscheint hier, jeweils mit einem Chat.";
    pub const LIST_EMPTY_BEFORE: &str = "Was";
    pub const MAKE: &str = "Anfrage stellen";
    pub const MORE: &str = "Mehr";
    pub const NEW: &str = "Neue Anfrage";
    pub const NO_MATCH: &str = "Keine Anfrage passt zu dieser Suche.";
    pub const ORDER_ACTIVITY: &str = "Zuletzt aktiv";
    pub const ORDER_NEWEST: &str = "Neueste";
    pub const ORDER_TITLE: &str = "Titel";
    pub const ORDER_WANTED: &str = "Frühester Termin";
    pub const OTHER_CHATS: &str = "Andere Chats";
    pub const REQUEST: &str = "Anfrage";
    pub const SENT: &str = "Gesendet";
    pub const SET: &str = "Setzen";
    pub const SHOW_ALL: &str = "Alle Anfragen zeigen";
    pub const STATUS: &str = "Status";
    pub const STATUS_OF: &str = "Status von";
    pub const TABLE_EMPTY: &str = "Hier erscheinen die Anfragen Ihrer Kunden. Kunden stellen sie in ihrem Konto.";

    pub fn unread(count: i64) -> String {
        format!(", {count} ungelesen")
    }

    pub const WANTED_BY: &str = "Gewünscht bis";
    pub const WHICH: &str = "Welche Anfragen";
}

pub mod time {

    pub fn at(day: &str, clock: &str) -> String {
        format!("{day}, {clock}")
    }

    pub fn hours_ago(hours: i64) -> String {
        format!("vor {hours} Std.")
    }

    pub const JUST_NOW: &str = "gerade eben";

    pub fn minutes_ago(minutes: i64) -> String {
        format!("vor {minutes} Min.")
    }

    pub const TODAY: &str = "Heute";
    pub const UTC: &str = "UTC";
    pub const YESTERDAY: &str = "Gestern";
}

// ---- Pages

// ---- Refusals, e-mails and documents

pub mod problem {
    pub const SIGN_IN: &str = "Bitte melden Sie sich an.";
}
