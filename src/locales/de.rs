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
    pub const SEALED_MESSAGE: &str = "Versiegelte Nachricht";
    pub const SUGGESTIONS: &str = "Beginnen Sie mit einem dieser Sätze:";
    pub const COMMENT: &str = "Kommentar (freiwillig)";
    pub const MAIL_TRANSCRIPT: &str = "Mir das Protokoll mailen";
    pub const MAILED: &str = "Das Protokoll ist an Ihre E-Mail-Adresse unterwegs.";
    pub const RATE: &str = "Wie war dieser Chat?";
    pub const RATED: &str = "Danke für Ihre Bewertung.";

    pub fn score(value: i64) -> String {
        format!("{value} von 5 Sternen")
    }

    pub const REPLY: &str = "Antworten";
    pub const NO_REPLY: &str = "Nicht auf diese Nachricht antworten";
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
    pub const NOTIFY: &str = "Mich benachrichtigen";
    pub const NOTIFY_BLOCKED: &str = "Ihr Browser erlaubt keine Benachrichtigungen dieser Website. Erlauben Sie sie in seinen Einstellungen für diese Seite.";
    pub const NOTIFY_FAILED: &str =
        "Die Benachrichtigungen ließen sich nicht umschalten. Versuchen Sie es gleich noch einmal.";
    pub const NOT_SENT: &str = "Nicht gesendet.";
    pub const OFFLINE: &str = "Offline";
    pub const OPTIONS: &str = "Optionen der Nachricht";
    pub const PAUSED: &str = "Angehalten";
    pub const RECONNECTING: &str = "Neu verbinden…";
    pub const REOPEN: &str = "Wieder öffnen";
    pub const RETRY: &str = "Erneut senden";

    pub fn seen(when: &str) -> String {
        format!("Gelesen {when}")
    }

    pub const SEND: &str = "Senden";
    pub fn megabytes(whole: &str, tenths: &str) -> String {
        [whole, ",", tenths, " MB"].concat()
    }

    pub const LARGER: &str = "Größer";
    pub const NEXT: &str = "Nächstes Bild";
    pub const PREVIOUS: &str = "Vorheriges Bild";
    pub const SAVE_PICTURE: &str = "Bild speichern";
    pub const SMALLER: &str = "Kleiner";
    pub const FILE_LOST: &str = "Diese Datei ist nicht mehr da. Bitte wählen Sie sie noch einmal aus.";
    pub const FILE_READY: &str = "Bereit zum Senden";
    pub const FILE_WAITS: &str = "Wartet";

    pub fn remove_file(name: &str) -> String {
        format!("{name} entfernen")
    }

    pub const SENDING_FILES: &str = "Diese Nachricht wird gesendet, sobald ihre Dateien hochgeladen sind.";

    pub fn uploading(percent: u8) -> String {
        format!("Wird hochgeladen … {percent} %")
    }

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

    pub fn to_latest(new: i64) -> String {
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

/// When to expect an answer. The server writes these sentences.
pub mod answers {
    pub const DAY: &str = "eines Tages";
    pub const DAYS: [&str; 7] = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"];
    pub const FEW_HOURS: &str = "weniger Stunden";
    pub const FEW_MINUTES: &str = "weniger Minuten";
    pub const HOUR: &str = "einer Stunde";
    pub const TEN_MINUTES: &str = "von 10 Minuten";
    pub const WEEKDAYS: [&str; 7] = ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"];

    pub fn again_at(clock: &str) -> String {
        format!("wieder um {clock}")
    }

    pub fn again_on(day: &str, clock: &str) -> String {
        format!("wieder am {day} um {clock}")
    }

    pub fn hours(hours: &str) -> String {
        format!("Wir antworten {hours}")
    }

    pub fn hours_again(hours: &str, again: &str) -> String {
        format!("Wir antworten {hours}, {again}")
    }

    pub fn until(clock: &str) -> String {
        format!("Wir antworten bis {clock}")
    }

    pub fn within(time: &str) -> String {
        format!("Antwortet meist innerhalb {time}")
    }

    pub fn zone(place: &str) -> String {
        format!("(Zeit in {place})")
    }
}

pub mod desk {
    pub const RATING: &str = "Bewertung";
    pub const ABOUT: &str = "Thema";
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
    pub const SEARCH_LABEL: &str = "Chats und Nachrichten durchsuchen";
    pub const SHOW_ALL: &str = "Alle zeigen";
    pub const SHOW_REQUEST: &str = "Anfrage zeigen";
    pub const STATUS: &str = "Status";
    pub const TRANSCRIPT: &str = "Protokoll";
    pub const TRANSCRIPT_HELP: &str = "Alle Nachrichten dieses Chats in einer Datei, zum Aufheben oder Drucken.";

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

    pub const EDITED: &str = "Geändert";
    pub const FILES: &str = "Dateien";
    pub const IN_CHAT: &str = "Im Chat zeigen";
    pub const SHOW_NEW_TEXT: &str = "Neuen Text zeigen";
    pub const WITHDRAWN: &str = "Zurückgezogen";
    pub const WANTED_BY: &str = "Gewünscht bis";
    pub const WHICH: &str = "Welche Anfragen";
}

pub mod time {
    pub const ALL_UTC: &str = "Alle Zeiten sind in UTC.";

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

pub mod account {
    pub const THIS_BROWSER_ONLY: &str =
        "Die Chats, die Sie in diesem Browser geöffnet haben. Mit einem Konto finden Sie sie überall.";
    pub const YOUR_CHATS: &str = "Ihre Chats";
    pub const CHANGE_PASSWORD: &str = "Passwort ändern";
    pub const CHANGE_PASSWORD_TITLE: &str = "Passwort ändern";
    pub const CONFIRMED: &str = "Ihre E-Mail-Adresse ist bestätigt.";
    pub const CURRENT_PASSWORD: &str = "Bisheriges Passwort";
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

/// In the place of erased names and texts.
pub mod erased {
    pub const CUSTOMER: &str = "Ehemaliger Kunde";
    pub const REMOVED: &str = "Entfernt";
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
    pub const DESCRIPTION: &str = "Beschreibung";
    pub const DESCRIPTION_HELP: &str = "Größe, Material, Zweck und alles, was Ihnen sonst wichtig ist.";
    pub const ADD_FILES: &str = "Dateien hinzufügen";
    pub const EDIT: &str = "Ändern";
    pub const EDIT_TITLE: &str = "Ihre Anfrage ändern";
    pub const FILES: &str = "Bilder und Zeichnungen";
    pub const FILES_HELP: &str = "Höchstens zehn auf einmal. Fotos verlieren ihren Ort und andere verborgene Daten.";
    pub const SAVE: &str = "Speichern";
    pub const WITHDRAW: &str = "Zurückziehen";
    pub const WITHDRAW_HELP: &str = "Eine zurückgezogene Anfrage gilt als abgelehnt. Text und Chat bleiben.";
    pub const WITHDRAW_NOW: &str = "Anfrage zurückziehen";
    pub const MY_REQUESTS: &str = "Meine Anfragen";
    pub const NEW_TITLE: &str = "Was sollen wir für Sie anfertigen?";
    pub const SEARCH: &str = "Anfragen suchen";
    pub const SEND: &str = "Anfrage senden";
    pub const SHOW: &str = "Anzeigen";
    pub const SORT_BY: &str = "Sortieren nach";
    pub const TITLE: &str = "Was soll es werden?";
    pub const TITLE_HELP: &str = "Wenige Wörter, zum Beispiel „Eichentisch für einen Erker“.";

    pub fn budget_help(currency: &str) -> String {
        format!("In {currency}. Eine ungefähre Angabe genügt.")
    }

    pub fn lead(business: &str) -> String {
        format!("{business} antwortet Ihnen in einem Chat zu Ihrer Anfrage.")
    }
}

pub mod settings {
    pub const DONE: &str = "Die Einstellungen sind gespeichert.";
    pub const CLOSED_DAYS: &str = "Geschlossene Tage";
    pub const CLOSED_DAYS_HELP: &str = "Zum Beispiel Feiertage: je Zeile ein Tag wie 2026-12-24, oder der erste und der letzte \
         Tag, wie 2026-12-24 – 2027-01-02.";
    pub const CLOSES: &str = "bis";
    pub const HOURS: &str = "Öffnungszeiten";
    pub const HOURS_HELP: &str = "Außerhalb davon sehen Kunden, wann Sie wieder antworten, in ihrer eigenen Uhrzeit. Lassen \
         Sie Tage leer, an denen Sie nicht antworten, und alle Tage, wenn Sie keine festen Zeiten haben.";
    pub const OPENS: &str = "von";
    pub const ZONE: &str = "Zeitzone der Öffnungszeiten";
    pub const ZONE_HELP: &str = "Der Name der Zone, zum Beispiel Europe/Berlin.";
    pub const IDLE_DAYS: &str = "Stille Chats nach … Tagen schließen";
    pub const IDLE_DAYS_HELP: &str = "Für Chats per Link, in denen Sie zuletzt geschrieben haben. Eine Zeile im Chat warnt einen \
         Tag vorher. Leer: Chats bleiben offen.";
    pub const LANGUAGE: &str = "Sprache";
    pub const LANGUAGE_DEFAULT: &str = "Wie beim Start des Servers";
    pub const LANGUAGE_HELP: &str = "Für Menschen, deren Browser weder Englisch noch Deutsch verlangt.";
    pub const LEAD: &str = "Was Ihre Kunden sehen, und wie Chats enden. Änderungen gelten sofort.";
    pub const NAME: &str = "Name des Unternehmens";
    pub const NAME_HELP: &str =
        "Auf jeder Seite und in jeder E-Mail. Leer: der Name, mit dem der Server gestartet ist.";
    pub const PRIVACY: &str = "Hinweis zum Datenschutz";
    pub const PRIVACY_HELP: &str = "Was Sie mit persönlichen Daten tun. Er steht am Anfang jedes Chats.";
    pub const REOPENS: &str = "Wer als Kunde in einem geschlossenen Chat schreibt, öffnet ihn wieder.";
    pub const RETENTION_DAYS: &str = "Alte Chats nach … Tagen löschen";
    pub const RETENTION_DAYS_HELP: &str = "Tage ohne Aktivität. Das gilt für Chats, und für Anfragen, die erledigt oder abgelehnt \
         sind. 0: nie. Leer: wie beim Start des Servers.";
    pub const SUGGESTIONS: &str = "Vorgeschlagene erste Sätze";
    pub const TITLE: &str = "Einstellungen";
    pub const WELCOME: &str = "Begrüßung";
    pub const WELCOME_HELP: &str = "Am Anfang jedes Chats, für Ihre Kunden.";

    pub fn suggestions_help(most: usize) -> String {
        format!("Bis zu {most}, je Zeile einer. Solange der Chat leer ist, senden Kunden einen davon mit einem Klick.")
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

pub mod unsubscribe {
    pub const DONE: &str = "Keine E-Mails mehr";
    pub const DONE_HELP: &str =
        "Sie erhalten keine E-Mails mehr zu diesem Chat. Seine Nachrichten bleiben, wo sie sind.";
    pub const HELP: &str = "Wir senden Ihnen eine E-Mail, wenn in diesem Chat Nachrichten auf Sie warten.";
    pub const STOP: &str = "Keine E-Mails mehr senden";
    pub const TITLE: &str = "E-Mails zu Ihrem Chat";
}

// ---- Refusals, e-mails and documents

/// For programs that use the REST API, the socket or HTTP itself.
pub mod api {
    pub const BODY_TOO_LARGE: &str = "Der Inhalt ist zu groß.";
    pub const CURSOR: &str = "Dieser Cursor stammt nicht von diesem Server.";
    pub const EITHER_SEQ_OR_REV: &str = "Geben Sie entweder before_seq oder after_rev an, nicht beides.";
    pub const EITHER_STATUS_OR_ASSIGNEE: &str = "Geben Sie entweder status oder assignee_id an.";
    pub const EITHER_STATUS_OR_TEXT: &str = "Senden Sie entweder den Status oder die zu ändernden Felder.";
    pub const FILE_HEADERS: &str = "Der Server kann diese Datei nicht senden.";
    pub const FRAME: &str = "Der Server versteht diesen Frame nicht.";
    pub const HOST: &str = "Ein Aufruf braucht genau einen Host-Header mit dem Host, an den er sich richtet.";
    pub const LIMIT: &str = "limit muss mindestens 1 sein.";
    pub const METADATA_KIND: &str = "metadata muss ein Objekt sein.";
    pub const METADATA_NUL: &str = "metadata darf kein NUL-Zeichen enthalten.";
    pub const METHOD: &str = "Diese Adresse nimmt diese Methode nicht an.";
    pub const MULTIPART: &str = "Senden Sie die Datei als multipart/form-data, in einem Teil namens `file`.";
    pub const NO_SUCH_ADMIN: &str = "Es gibt keinen Admin mit dieser ID.";
    pub const NO_SUCH_CUSTOMER: &str = "Es gibt keinen Kunden mit dieser ID.";
    pub const ORIGIN: &str = "Eine Verbindung mit Cookie braucht einen Origin-Header.";
    pub const PART_HEAD: &str = "Der Kopf eines Teils ist zu lang.";
    pub const REV: &str = "Eine rev ist nie negativ.";
    pub const SEQ: &str = "Eine seq ist nie negativ.";
    pub const TOKEN: &str = "Dieser API-Schlüssel ist falsch oder wurde widerrufen.";
    pub const WEBSOCKET: &str = "Diese Verbindung kann kein WebSocket werden.";
    pub const WEBSOCKET_KEY: &str =
        "Ein Handshake braucht genau einen Sec-WebSocket-Key-Header mit 16 Bytes in Base64.";
    pub const WHOSE_REQUEST: &str = "Geben Sie die customer_id des Kontos an, dem die Anfrage gehört.";

    /// `detail` names the member that is missing or of the wrong type. It is always in English.
    pub fn body(detail: &str) -> String {
        format!("Der Server versteht den Inhalt nicht. Einzelheiten auf Englisch: {detail}")
    }

    pub fn frames(most: usize) -> String {
        format!("Der Server nimmt bis zu {most} Frames auf einmal an.")
    }

    pub fn metadata_too_long(most: usize) -> String {
        format!("metadata darf bis zu {most} Bytes lang sein.")
    }

    /// `detail` names the parameter that is missing or of the wrong type. It is always in English.
    pub fn query(detail: &str) -> String {
        format!("Der Server versteht die Parameter nicht. Einzelheiten auf Englisch: {detail}")
    }
}

/// What happened, in a few words: one for each kind of problem.
pub mod code {
    pub const CLOSED: &str = "Dieser Chat ist geschlossen";
    pub const CONFLICT: &str = "Schon anders verwendet";
    pub const FORBIDDEN: &str = "Nicht erlaubt";
    pub const INVALID: &str = "Nicht gültig";
    pub const NOT_FOUND: &str = "Nicht gefunden";
    pub const RATE_LIMITED: &str = "Zu viel auf einmal";
    pub const TOO_LARGE: &str = "Zu groß";
    pub const UNAUTHORIZED: &str = "Anmeldung nötig";
    pub const UNAVAILABLE: &str = "Im Moment nicht verfügbar";
}

/// E-mails. A link stands at the end of its line.
pub mod mail {
    pub const DIGEST_SEALED: &str = "Dieser Chat ist versiegelt, darum stehen seine Nachrichten nicht in dieser E-Mail. Öffnen Sie ihn in dem Browser, in dem Sie ihn schon gelesen haben, oder über den vollständigen Link, den Sie erhalten haben.";
    pub fn transcript_subject(business: &str) -> String {
        format!("Ihr Chat mit {business}")
    }

    pub fn address_changed(business: &str, url: &str) -> String {
        format!(
            "Guten Tag,\n\ndie E-Mail-Adresse Ihres Kontos bei {business} wurde geändert. E-Mails zu diesem Konto \
             gehen ab jetzt an die neue Adresse.\n\nWenn Sie das nicht waren, sagen Sie uns bitte sofort Bescheid: {url}\n"
        )
    }

    pub fn address_changed_subject(business: &str) -> String {
        format!("Ihre E-Mail-Adresse für {business} wurde geändert")
    }

    pub fn address_taken(business: &str, link: &str) -> String {
        format!(
            "Guten Tag,\n\njemand – wahrscheinlich Sie – möchte diese E-Mail-Adresse für ein Konto bei {business} \
             verwenden. Ein anderes Konto hat diese Adresse schon, deshalb wurde nichts geändert.\n\nUm sich \
             bei diesem anderen Konto anzumelden, wählen Sie ein neues Passwort:\n{link}\n\nWenn Sie das nicht waren, \
             müssen Sie nichts tun.\n"
        )
    }

    pub fn address_taken_subject(business: &str) -> String {
        format!("Ihre E-Mail-Adresse bei {business}")
    }

    pub fn confirm(business: &str, hours: i64, link: &str) -> String {
        format!(
            "Guten Tag,\n\njemand – wahrscheinlich Sie – hat diese E-Mail-Adresse für ein Konto bei {business} \
             angegeben.\n\nUm zu bestätigen, dass es Ihre ist, öffnen Sie innerhalb von {hours} Stunden diesen \
             Link:\n{link}\n\nWenn Sie das nicht waren, müssen Sie nichts tun.\n"
        )
    }

    pub fn confirm_new(business: &str, hours: i64, link: &str) -> String {
        format!(
            "Guten Tag,\n\njemand – wahrscheinlich Sie – hat diese E-Mail-Adresse für ein Konto bei {business} \
             angegeben.\n\nUm zu bestätigen, dass es Ihre ist, öffnen Sie innerhalb von {hours} Stunden diesen Link. \
             Verwenden Sie den Browser, in dem Sie angemeldet sind:\n{link}\n\nWenn Sie das nicht waren, müssen Sie \
             nichts tun.\n"
        )
    }

    pub fn confirm_subject(business: &str) -> String {
        format!("Bestätigen Sie Ihre E-Mail-Adresse für {business}")
    }

    pub fn digest_lead(business: &str) -> String {
        format!("{business} hat Ihnen geschrieben, und Sie haben es noch nicht gelesen:")
    }

    pub const DIGEST_OPEN: &str = "Im Chat lesen und antworten:";
    pub const DIGEST_STOP: &str = "Keine E-Mails mehr zu diesem Chat:";

    pub fn digest_subject(business: &str) -> String {
        format!("Neue Nachrichten von {business}")
    }

    pub fn new_chat(business: &str, link: &str) -> String {
        format!(
            "Guten Tag,\n\njemand wartet bei {business} auf eine Antwort in einem Chat, den noch niemand geöffnet hat:\n{link}\n"
        )
    }

    pub fn new_chat_subject(business: &str) -> String {
        format!("Ein neuer Chat wartet bei {business}")
    }

    pub fn reset(business: &str, hours: i64, link: &str) -> String {
        format!(
            "Guten Tag,\n\njemand – wahrscheinlich Sie – hat ein neues Passwort für Ihr Konto bei {business} \
             angefordert.\n\nUm eines zu wählen, öffnen Sie innerhalb von {hours} Stunden diesen Link:\n{link}\n\nWenn \
             Sie das nicht waren, müssen Sie nichts tun: Ihr Passwort bleibt, wie es ist.\n"
        )
    }

    pub fn reset_subject(business: &str) -> String {
        format!("Ein neues Passwort für {business}")
    }
}

/// Benachrichtigungen.
pub mod push {
    pub fn title(name: &str, unread: i64) -> String {
        if unread == 1 { name.to_owned() } else { format!("{name}: {unread} neue Nachrichten") }
    }
}

/// Why something was refused.
pub mod problem {
    pub const NOT_SEALED: &str = "Dieser Chat ist versiegelt: Er nimmt nur Text an, den ein Browser mit dem Schlüssel des Chats verschlüsselt hat.";
    pub const SEALED_FILES: &str = "In einem versiegelten Chat gibt es keine Dateien: Sie wären nicht verschlüsselt.";
    pub const SEALED_FIRST: &str =
        "Schreiben Sie die erste Nachricht im versiegelten Chat selbst, sobald er offen ist.";
    pub const SEALED_TRANSCRIPT: &str =
        "Der Server kann diesen versiegelten Chat nicht lesen. Darum gibt es kein Protokoll zu senden.";
    pub const NO_MAIL_ADDRESS: &str = "Das Protokoll lässt sich nicht mailen: Dieser Chat hat keine bestätigte Adresse. Speichern Sie es stattdessen.";
    pub fn request_full(most: usize) -> String {
        format!("Eine Anfrage kann {most} Dateien haben. Bitte senden Sie weitere im Chat.")
    }
    pub const REQUEST_ENDED: &str = "Diese Anfrage ist erledigt oder abgelehnt.";
    pub const REQUEST_BEGUN: &str = "Diese Anfrage ist nicht mehr neu und kann nicht geändert werden. Bitte schreiben Sie \
                                     im Chat.";
    pub const NOT_CLOSED: &str = "Ein Chat kann bewertet werden, sobald er geschlossen ist.";
    pub const RATING_FINAL: &str = "Eine Bewertung lässt sich einen Tag lang ändern.";
    pub const SCORE: &str = "Bitte geben Sie 1 bis 5 Sterne.";
    pub const TRANSCRIPT_TOO_LONG: &str = "Dieses Protokoll ist zu lang für eine E-Mail. Speichern Sie es stattdessen.";
    pub const ADMIN_NEEDED: &str = "Das kann nur ein Admin.";
    pub const ADMIN_STAYS: &str = "Dieses Konto gehört einem Admin. Nur die Daten von Kunden lassen sich löschen.";
    pub const AMOUNT: &str = "Bitte geben Sie einen Betrag wie 1200 oder 1200,50 ein.";
    pub const ANOTHER_SITE: &str =
        "Diese Eingabe kam von einer anderen Website. Bitte verwenden Sie das Formular auf dieser Website.";
    pub const BUDGET: &str = "Bitte geben Sie ein Budget von 0 bis zehn Milliarden ein.";
    pub const CHAT_FULL: &str = "In diesem Chat ist kein Platz für weitere Dateien. Löschen Sie Nachrichten mit \
                                 Dateien, die Sie nicht mehr brauchen.";
    pub const CLIENT_ID_TAKEN: &str =
        "Diese client_id gehört schon zu einer anderen Nachricht. Diese Nachricht wurde deshalb nicht gespeichert.";
    pub const CLOSED: &str = "Dieser Chat ist geschlossen. Sie können ihn lesen, aber nichts mehr schreiben.";
    pub const CONTENT_EMPTY: &str = "Bitte schreiben Sie etwas Text.";
    pub const CONTENT_NUL: &str = "Text darf kein NUL-Zeichen enthalten.";
    pub const DAY: &str = "Bitte geben Sie einen Tag wie 2026-12-24 ein.";
    pub const DESCRIPTION_EMPTY: &str = "Bitte beschreiben Sie Ihre Anfrage.";
    pub const DESCRIPTION_NUL: &str = "Eine Beschreibung darf kein NUL-Zeichen enthalten.";
    pub const DISK_FULL: &str =
        "Auf dem Server ist kein Platz für weitere Dateien. Bitte senden Sie Ihre Nachricht ohne Dateien.";
    pub const EMAIL: &str = "Bitte geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com.";
    pub const EMAIL_TAKEN: &str = "Es gibt schon ein Konto mit dieser E-Mail-Adresse.";
    pub const EXISTS: &str = "Das gibt es schon.";
    pub const FILES_PER_DAY: &str = "Sie haben innerhalb eines Tages zu viele große Dateien hinzugefügt. Bitte \
                                     versuchen Sie es später noch einmal.";
    pub const FILES_UNSENT: &str = "In diesem Chat sind zu viele Dateien noch nicht gesendet. Senden Sie zuerst \
                                    diese, oder versuchen Sie es morgen noch einmal.";
    pub const FILE_EMPTY: &str = "Diese Datei ist leer.";
    pub const FILE_MISSING: &str = "Bitte wählen Sie eine Datei aus.";
    pub fn days(least: u32, most: u32) -> String {
        format!("Bitte geben Sie eine Anzahl von {least} bis {most} Tagen ein.")
    }

    pub const CLOSES_BEFORE: &str = "Bitte geben Sie ein Ende nach dem Anfang ein. Mitternacht ist 00:00.";
    pub const TIME_OF_DAY: &str = "Bitte geben Sie beide Uhrzeiten ein, zum Beispiel 09:00.";
    pub const ZONE: &str = "Bitte geben Sie den Namen einer Zeitzone ein, zum Beispiel Europe/Berlin.";

    pub fn closed_days(most: usize) -> String {
        format!(
            "Bitte geben Sie Tage wie 2026-12-24 ein, oder zwei in einer Zeile für den ersten und den letzten Tag, auf bis zu {most} Zeilen."
        )
    }

    pub fn too_many_suggestions(most: usize) -> String {
        format!("Bitte geben Sie höchstens {most} Sätze ein, jeden in einer eigenen Zeile.")
    }

    pub fn replies_per_message(most: i64) -> String {
        format!("Diese Nachricht hat schon {most} Antworten. Senden Sie Ihre, ohne sie zu zitieren.")
    }
    pub const FILE_NOT_HERE: &str =
        "Laden Sie eine Datei in diesen Chat hoch, bevor Sie sie senden. Sie können sie nur einmal senden.";
    pub const FORM: &str = "Der Server versteht dieses Formular nicht. Bitte öffnen Sie die Seite noch einmal.";
    pub const FORM_SENT_BEFORE: &str = "Sie haben dieses Formular schon einmal mit Erfolg gesendet. Die jetzigen \
                                        Angaben sind noch nicht gesendet: Senden Sie das Formular, um einen weiteren \
                                        Eintrag anzulegen.";
    pub const INVITED_BEFORE: &str = "Dieses Formular hat schon eine Einladung erstellt, und die Seite hat damals \
                                      deren Link gezeigt. Wenn Sie den Link nicht gesehen haben, ziehen Sie diese \
                                      Einladung zurück und erstellen Sie eine neue.";
    pub const MESSAGE_NOT_SENT: &str = "Ihre Nachricht wurde nicht gesendet: In diesem Browser ist nicht mehr die \
                                        Person angemeldet, die das Formular geöffnet hat. Melden Sie sich selbst an, \
                                        oder öffnen Sie Ihren Link noch einmal, um die Nachricht zu senden.";
    pub const MESSAGE_SENT_BEFORE: &str = "Ihre frühere Nachricht wurde gesendet und steht im Chat. Der Text hier ist \
                                           noch nicht gesendet: Senden Sie ihn als eigene Nachricht, oder löschen Sie \
                                           ihn.";
    pub const NAME_BROKEN: &str = "Ein Name darf keine Zeilenumbrüche oder Steuerzeichen enthalten.";
    pub const NAME_EMPTY: &str = "Bitte geben Sie einen Namen ein.";
    pub const NOT_FOUND: &str = "Hier ist nichts, oder Sie dürfen es nicht sehen.";
    pub const NOT_UNDERSTOOD: &str = "Der Server versteht diesen Aufruf nicht.";
    pub const NO_SUCH_ADMIN: &str = "Es gibt keinen Admin mit dieser E-Mail-Adresse.";
    pub const OWN_ROLE: &str = "Ihre Rolle muss ein anderer Admin ändern.";
    pub const PASSWORD_TOO_LONG: &str = "Dieses Passwort ist zu lang.";
    pub const PASSWORD_WRONG: &str = "Das ist nicht Ihr Passwort.";
    pub const PUSH_INVALID: &str = "Das ist kein Abonnement beim Push-Dienst eines Browsers.";
    pub const PUSH_NEEDS_BROWSER: &str =
        "Nur ein Browser kann benachrichtigt werden, und er braucht eine Sitzung: ein Token hat keine.";
    pub const READ_ONLY: &str = "Sie können das sehen, aber nicht ändern.";
    pub const REGISTER_FIRST: &str = "Für eine Anfrage brauchen Sie ein Konto. Bitte registrieren Sie sich zuerst.";
    pub const SEARCH_EMPTY: &str = "Bitte geben Sie mindestens ein Suchwort ein.";
    pub const SIGN_IN: &str = "Bitte melden Sie sich an.";
    pub const SIGN_IN_FIRST: &str =
        "Bitte melden Sie sich zuerst bei Ihrem Konto an, und öffnen Sie den Link dann noch einmal.";
    pub const SIGN_IN_WRONG: &str = "Diese E-Mail-Adresse und dieses Passwort gehören nicht zusammen.";
    pub const SLOW: &str =
        "Die Daten kamen zu langsam an. Bitte prüfen Sie Ihre Verbindung, und senden Sie sie noch einmal.";
    pub const TITLE_BROKEN: &str = "Ein Titel darf keine Zeilenumbrüche oder Steuerzeichen enthalten.";
    pub const TITLE_EMPTY: &str = "Bitte geben Sie einen kurzen Titel ein.";
    pub const TOKEN_MADE_BEFORE: &str = "Dieses Formular hat schon einen API-Schlüssel erstellt, und die Seite hat \
                                         ihn damals gezeigt. Wenn Sie ihn nicht gesehen haben, widerrufen Sie ihn und \
                                         erstellen Sie einen neuen.";
    pub const TOO_MUCH: &str = "Das ist zu viel auf einmal.";
    pub const UNAVAILABLE: &str =
        "Der Server kann das im Moment nicht ausführen. Bitte versuchen Sie es gleich noch einmal.";

    pub fn another_origin(url: &str) -> String {
        format!("Diese Verbindung kam von einer anderen Website. Bitte öffnen Sie stattdessen {url}.")
    }

    pub fn connections(most: u32) -> String {
        match most {
            1 => "Sie haben schon eine Verbindung offen. Bitte schließen Sie deren Fenster.".to_owned(),
            _ => format!("Sie haben schon {most} Verbindungen offen. Bitte schließen Sie ein Fenster."),
        }
    }

    pub fn content_too_long(most: usize, chars: usize) -> String {
        format!("Text darf hier bis zu {most} Zeichen lang sein. Dieser hat {chars}.")
    }

    pub fn description_too_long(most: usize) -> String {
        format!("Beschreibungen dürfen bis zu {most} Zeichen lang sein.")
    }

    pub fn file_too_large(bytes: usize) -> String {
        match bytes {
            1_048_576.. => format!("Dateien dürfen bis zu {} MiB groß sein.", bytes / 1_048_576),
            _ => format!("Dateien dürfen bis zu {bytes} Bytes groß sein."),
        }
    }

    pub fn files_per_message(most: usize) -> String {
        format!("Eine Nachricht kann bis zu {most} Dateien haben.")
    }

    pub fn name_too_long(most: usize) -> String {
        format!("Namen dürfen bis zu {most} Zeichen lang sein.")
    }

    pub fn no_cookie(host: &str) -> String {
        format!(
            "Ihr Browser hat das Cookie nicht behalten, das diese Website braucht. Erlauben Sie Cookies für {host}, \
             und melden Sie sich dann noch einmal an."
        )
    }

    pub fn open_requests(most: u32) -> String {
        match most {
            1 => "Sie können eine offene Anfrage haben. Bitte schreiben Sie uns in deren Chat.".to_owned(),
            _ => format!(
                "Sie können bis zu {most} offene Anfragen haben. Bitte schreiben Sie uns im Chat einer dieser Anfragen."
            ),
        }
    }

    pub fn password_too_short(least: usize) -> String {
        format!("Ein Passwort braucht mindestens {least} Zeichen.")
    }

    pub fn search_too_long(most: usize) -> String {
        format!("Suchtexte dürfen bis zu {most} Zeichen lang sein.")
    }

    pub fn title_too_long(most: usize) -> String {
        format!("Titel dürfen bis zu {most} Zeichen lang sein.")
    }

    pub fn too_many_accounts(seconds: u64) -> String {
        format!("Es wurden zu viele Konten registriert. {}", try_again(seconds))
    }

    pub fn too_many_at_once(seconds: u64) -> String {
        format!("Das war sehr viel auf einmal. {}", try_again(seconds))
    }

    pub fn too_many_chats(seconds: u64) -> String {
        format!("Sie haben innerhalb einer Stunde viele Chats eröffnet. {}", try_again(seconds))
    }

    pub fn too_many_guesses(seconds: u64) -> String {
        format!(
            "Es wurden zu viele falsche Passwörter eingegeben. Sie können ein neues wählen: siehe „Passwort \
             vergessen?“. {}",
            try_again(seconds)
        )
    }

    pub fn too_many_mails_asked(seconds: u64) -> String {
        format!("Sie haben zu viele E-Mails angefordert. {}", try_again(seconds))
    }

    pub fn too_many_mails_here(seconds: u64) -> String {
        format!("Wir haben gerade mehrere E-Mails an diese Adresse gesendet. {}", try_again(seconds))
    }

    pub fn too_many_pushes(most: u32) -> String {
        format!("Sie werden schon in {most} Browsern benachrichtigt. Schalten Sie es erst in einem anderen aus.")
    }

    pub fn too_many_requests(seconds: u64) -> String {
        format!("Sie haben innerhalb einer Stunde viele Anfragen gestellt. {}", try_again(seconds))
    }

    pub fn too_many_uploads(seconds: u64) -> String {
        format!("Im Moment senden zu viele Personen Dateien. {}", try_again(seconds))
    }

    pub fn too_many_uploads_of_network(seconds: u64) -> String {
        format!("Aus Ihrem Netzwerk werden gerade zu viele Dateien gesendet. {}", try_again(seconds))
    }

    pub fn too_many_uploads_of_yours(seconds: u64) -> String {
        format!("Sie senden gerade so viele Dateien auf einmal, wie möglich ist. {}", try_again(seconds))
    }

    /// A wait of more than 90 seconds is told in minutes.
    fn try_again(seconds: u64) -> String {
        match seconds {
            1 => "Bitte versuchen Sie es in einer Sekunde noch einmal.".to_owned(),
            0..=90 => format!("Bitte versuchen Sie es in {seconds} Sekunden noch einmal."),
            _ => format!("Bitte versuchen Sie es in {} Minuten noch einmal.", seconds.div_ceil(60)),
        }
    }
}

/// The statuses of a custom request.
pub mod sealed {
    pub const SUMMARY: &str = "Versiegelt: Nur wer den vollständigen Link hat, kann diesen Chat lesen.";
    pub const KEY: &str = "Die Browser verschlüsseln jede Nachricht mit einem Schlüssel. Er ist das Ende des Links, nach #k=. Er bleibt im Browser und geht nie an den Server.";
    pub const LOST: &str = "Bewahren Sie den Link auf. Hat ihn niemand mehr, kann niemand die Nachrichten je wieder lesen, und wir können nicht helfen.";
    pub const MISSING: &str = "Was der Server nicht lesen kann, kann er nicht bieten: Suche, Protokolle und den Wortlaut der Nachrichten in E-Mails und Benachrichtigungen. Dateien lassen sich hier nicht senden, und der Chat braucht JavaScript.";
    pub const PLAIN: &str = "Nicht verschlüsselt sind: Namen, die Zeiten der Nachrichten, wer sie schrieb und las, Bewertungen und Zeilen des Servers. Auch das Programm, das verschlüsselt, kommt vom Server. Ihm müssen Sie also weiterhin vertrauen.";
    pub const NO_SCRIPT: &str = "Dieser Chat ist versiegelt: Lesen und Schreiben braucht JavaScript. Ohne JavaScript zeigt diese Seite nur, wer wann schrieb.";
    pub const NO_CRYPTO: &str = "Dieser Browser kann hier nicht entschlüsseln: Dafür muss die Adresse mit https beginnen. Bitte öffnen Sie den Chat über https.";
    pub const NO_KEY: &str = "Dieser Browser hat den Schlüssel dieses Chats nicht. Fügen Sie den vollständigen Link hier ein, oder öffnen Sie ihn. Er endet mit #k= und 43 Zeichen.";
    pub const WRONG_KEY: &str = "Dieser Schlüssel öffnet die Nachrichten dieses Chats nicht. Fügen Sie den vollständigen Link ein, wie Sie ihn erhalten haben.";
    pub const PASTE: &str = "Vollständiger Link oder Schlüssel";
    pub const UNLOCK: &str = "Entsperren";
    pub const UNREADABLE: &str = "Diese Nachricht lässt sich mit diesem Schlüssel nicht lesen.";
    pub const FAILED: &str = "Diese Nachricht ließ sich nicht verschlüsseln und wurde nicht gesendet. Bitte laden Sie die Seite neu und versuchen Sie es noch einmal.";
    pub const SEAL: &str = "Versiegelt: diesen Chat in den Browsern verschlüsseln";
    pub const SEAL_HELP: &str = "Nur wer den vollständigen Link hat, kann ihn lesen. Er hat keine Suche, keine Dateien und keine Protokolle und braucht JavaScript. Verlieren alle den Link, sind die Nachrichten verloren. Diese Wahl ist endgültig.";
    pub const SEAL_NOT_HERE: &str =
        "Dieser Browser kann Chats nur unter einer Adresse versiegeln, die mit https beginnt.";
    pub const SEAL_FIRST: &str = "Die erste Nachricht schreiben Sie im Chat selbst.";
    pub const LINK_HELP: &str = "Das Ende dieses Links, nach #k=, ist der Schlüssel des Chats. Senden Sie ihn nur an Personen, die hier alles lesen dürfen.";
    pub const LINK_NO_KEY: &str = "Dieser Browser hat den Schlüssel dieses versiegelten Chats nicht. Darum öffnet dieser Link den Chat, aber keine Nachricht. Kopieren Sie den Link in einem Browser, der die Nachrichten lesen kann.";
    pub const UNSTORED: &str = "Dieser Browser konnte den Schlüssel nicht speichern. Bewahren Sie diesen Link auf: Ohne ihn kann niemand den Chat lesen.";
}

pub mod status {
    pub const WITHDRAWN: &str = "Die Anfrage wurde zurückgezogen";
    pub const CLOSES_SOON: &str = "Ohne neue Nachricht wird dieser Chat in 24 Stunden geschlossen.";
    pub const DECLINED: &str = "Abgelehnt";
    pub const DONE: &str = "Erledigt";
    pub const IN_PROGRESS: &str = "In Arbeit";
    pub const NEW: &str = "Neu";

    pub fn set_to(status: &str) -> String {
        format!("Status: „{status}“.")
    }
}

/// A chat as a document. A moment is a date and a time with their zone.
pub mod transcript {
    pub const DELETED: &str = "(gelöscht)";

    pub fn chat_with(name: &str) -> String {
        format!("Chat mit {name}")
    }

    pub fn closed(moment: &str) -> String {
        format!("Geschlossen: {moment}")
    }

    pub fn file(name: &str) -> String {
        format!("[Datei: {name}]")
    }

    pub fn opened(moment: &str) -> String {
        format!("Eröffnet: {moment}")
    }

    /// Who wrote a message, and when.
    pub fn written(name: &str, moment: &str) -> String {
        format!("{name} ({moment})")
    }

    /// The same for a message that was edited since.
    pub fn written_and_edited(name: &str, moment: &str) -> String {
        format!("{name} ({moment}, bearbeitet)")
    }
}
