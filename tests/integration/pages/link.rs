//! The shared link: no login, and nothing to learn from a wrong one.

use bespoken::domain::ConversationId;
use serde_json::json;

use super::expect_page;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_sets_a_cookie_and_leads_to_an_address_without_the_secret() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    for chat_id in [chat.chat_id.clone(), chat.chat_id.to_uppercase(), format!("%20{}%20", chat.chat_id)] {
        let answer = app.browser().get(&format!("/chat?chatId={chat_id}")).await.expect(303);
        assert_eq!(answer.header("location"), format!("/chat/{}", chat.id));
        assert_eq!(answer.header("cache-control"), "no-store");
        let cookie = answer.header("set-cookie");
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Secure"), "this server speaks plain HTTP: {cookie}");
        assert!(!cookie.contains(&chat.chat_id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_and_revoked_links_show_the_same_page() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.admin().delete(&format!("/conversations/{}/link", chat.id)).await.expect(204);
    let browser = app.browser();
    let mut pages = Vec::new();
    for query in [
        format!("?chatId={}", chat.chat_id),
        format!("?chatId={}", fresh()),
        "?chatId=x".to_owned(),
        "?chatId=".to_owned(),
        "?chatId=a&chatId=b".to_owned(),
        String::new(),
    ] {
        let page = browser.get(&format!("/chat{query}")).await.expect(404);
        expect_page(&page);
        assert!(page.headers.get("set-cookie").is_none());
        pages.push(without_nonce(&page));
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_without_its_cookie_shows_help_and_hides_whether_the_chat_exists() {
    let app = TestApp::start().await;
    let (chat, revoked, closed) =
        (app.open("Oak table").await, app.open("Brass lamp").await, app.open("Pine shelf").await);
    app.admin().delete(&format!("/conversations/{}/link", revoked.id)).await.expect(204);
    app.close(closed.id).await;
    let other = app.guest_browser(&app.open("Elm stool").await).await;
    let ids = [chat.id, revoked.id, closed.id, ConversationId(fresh().0)].map(|id| format!("/chat/{id}"));
    let links = ["/chat/no-id".to_owned(), format!("/chat?chatId={}", fresh())];
    for (browser, paths) in [(app.browser(), [&ids[..], &links].concat()), (other, ids.to_vec())] {
        let mut pages = Vec::new();
        for path in paths {
            pages.push(without_nonce(&browser.get(&path).await.expect(404)));
        }
        for words in ["Open that link again", "from another browser", "Allow cookies", "Ask for a new one"] {
            assert!(pages[0].contains(words), "{words}: {}", pages[0]);
        }
        pages.dedup();
        assert_eq!(pages.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_opens_however_it_was_passed_on_and_counts_as_no_guess() {
    let app = TestApp::with(|limits| limits.link_guesses = 1).await;
    let chat = app.open("Oak table").await;
    let id = &chat.chat_id;
    let bare = id.replace('-', "");
    for address in [
        format!("/chat?chatId={id}."),
        format!("/chat?chatId={id})"),
        format!("/chat?chatId={id}%3E"),
        format!("/chat?chatId={id}%E2%80%8B"),
        format!("/chat?chatId=%22{id}%22"),
        format!("/chat?chatId={id}&fbclid=1"),
        format!("/chat?chatId={id}?x=1"),
        format!("/chat?chatId={id}&chatId={id}"),
        format!("/chat?chatId={bare}"),
        format!("/chat?chatId={}", id.to_uppercase()),
        format!("/CHAT?CHATID={}", id.to_uppercase()),
        format!("/chat/?chatId={id}"),
        format!("/chat/%3FchatId={id}"),
        format!("/chat%3FchatId={id}"),
        format!("/chat%3FchatId%3D{id}"),
    ] {
        let answer = app.browser().get(&address).await.expect(303);
        assert_eq!(answer.header("location"), format!("/chat/{}", chat.id), "{address}");
    }
    for token in [format!("{id}."), bare.clone(), format!("\"{id}\""), id.to_uppercase(), format!("<{id}>")] {
        app.api(&token).get(&format!("/conversations/{}", chat.id)).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_link_shows_the_same_page_however_it_was_passed_on() {
    let app = TestApp::start().await;
    let (id, browser) = (fresh(), app.browser());
    let mut pages = Vec::new();
    for address in [
        format!("/chat?chatId={id}"),
        format!("/chat?chatId={id}."),
        format!("/chat?chatId={id}&chatId={id}"),
        format!("/chat/?chatId={id}"),
        format!("/chat/%3FchatId={id}"),
        format!("/chat%3FchatId={id}"),
        format!("/CHAT?CHATID={id}"),
        "/chat/?chatId=".to_owned(),
        "/chat/x?chatId=x".to_owned(),
    ] {
        let page = browser.get(&address).await.expect(404);
        expect_page(&page);
        pages.push(without_nonce(&page));
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_in_mails_open_however_they_were_passed_on() {
    let app = TestApp::with(|limits| limits.link_guesses = 1).await;
    let link = app.service.make_sign_in_link(&app.data.admin).await.unwrap();
    let token = link.split_once("token=").unwrap().1;
    for page in ["reset", "invite", "setup"] {
        for address in [
            format!("/{page}?token={token}."),
            format!("/{page}/?token={token}"),
            format!("/{page}?token={token}&token={token}"),
        ] {
            let answer = app.browser().get(&address).await.expect(303);
            assert_eq!(answer.header("location"), format!("/{page}?token={token}"));
        }
    }
    let answer = app.browser().get(&format!("/login/?token={}%3E", token.to_uppercase())).await.expect(303);
    let answer = app.browser().get(answer.header("location")).await.expect(303);
    assert_eq!(answer.header("location"), "/admin");
}

/// The page without the nonce, which is another with each answer.
fn without_nonce(page: &Answer) -> String {
    let policy = page.header("content-security-policy");
    let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0;
    page.text.replace(nonce, "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_was_opened_lasts_until_it_is_revoked() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.guest_browser(&chat).await;
    let path = format!("/chat/{}", chat.id);
    browser.get(&path).await.expect(200);
    let data = app.stop().await;
    let app = data.start().await;
    let browser = Browser { url: app.url.clone(), ..browser };
    browser.get(&path).await.expect(200);
    app.admin().post(&format!("/conversations/{}/link", chat.id), json!({})).await.expect(200);
    browser.get(&path).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_browser_may_open_several_links() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let browser = app.guest_browser(&chat).await;
    let again = browser.get(&format!("/chat?chatId={}", other.chat_id)).await.expect(303);
    assert!(again.headers.get("set-cookie").is_none(), "the session goes on");
    for chat in [&chat, &other] {
        browser.get(&format!("/chat/{}", chat.id)).await.expect(200);
    }
    app.admin().delete(&format!("/conversations/{}/link", chat.id)).await.expect(204);
    browser.get(&format!("/chat/{}", chat.id)).await.expect(404);
    browser.get(&format!("/chat/{}", other.id)).await.expect(200);
}

/// The cookies of a new browser after it opened each of these at the same moment. No request carried a cookie, and no
/// answer replaced another.
async fn opened_at_once(app: &TestApp, chats: &[&Chat]) -> String {
    let mut cookies = Vec::new();
    for chat in chats {
        cookies.push(app.browser().get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303).cookie());
    }
    let names: std::collections::BTreeSet<_> = cookies.iter().map(|cookie| cookie.split_once('=').unwrap().0).collect();
    assert_eq!(names.len(), chats.len(), "one answer would replace the cookie of another: {names:?}");
    cookies.join("; ")
}

/// The cookies of a browser after an answer that takes some of them away.
fn without_dropped(cookies: &str, answer: &Answer) -> String {
    let set = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let dropped: Vec<_> = set.map(|cookie| cookie.split_once('=').unwrap().0).collect();
    let is_left = |cookie: &&str| !dropped.contains(&cookie.split_once('=').unwrap().0);
    cookies.split("; ").filter(is_left).collect::<Vec<_>>().join("; ")
}

async fn get_with(app: &TestApp, cookies: &str, path: &str) -> Answer {
    Answer::to(app.nobody().request_to(reqwest::Method::GET, path).header("cookie", cookies)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_opened_at_the_same_moment_in_a_new_browser_all_open() {
    let app = TestApp::start().await;
    let (one, two, three) = (app.open("Oak table").await, app.open("Brass lamp").await, app.open("Pine shelf").await);
    let chats = [&one, &two, &three];
    let cookies = opened_at_once(&app, &chats).await;

    // All pages are asked for at once: whichever request puts the sessions together, no other misses it.
    let paths: Vec<_> = (0..8).flat_map(|_| chats.map(|chat| format!("/chat/{}", chat.id))).collect();
    let answers = futures_util::future::join_all(paths.iter().map(|path| get_with(&app, &cookies, path))).await;
    for answer in answers {
        let left = without_dropped(&cookies, &answer.expect(200));
        assert_eq!(left.split("; ").count(), 1, "one cookie stays: {left}");
        for chat in chats {
            let page = get_with(&app, &left, &format!("/chat/{}", chat.id)).await.expect(200);
            assert!(page.headers.get("set-cookie").is_none(), "and then nothing is to be done any more");
        }
    }

    // A link that is revoked is gone, also for the session that took it over.
    app.admin().delete(&format!("/conversations/{}/link", two.id)).await.expect(204);
    get_with(&app, &cookies, &format!("/chat/{}", two.id)).await.expect(404);
    get_with(&app, &cookies, &format!("/chat/{}", three.id)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_of_links_opened_at_the_same_moment_see_every_chat_and_end_with_the_session() {
    let app = TestApp::start().await;
    let (one, two) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let cookies = opened_at_once(&app, &[&one, &two]).await;
    let (first, second) = cookies.split_once("; ").unwrap();
    let mut before = Ws::with_cookie(&app.url, first.max(second)).await.unwrap();
    let mut ws = Ws::with_cookie(&app.url, &cookies).await.unwrap();
    assert_eq!(before.closed().await, Some(bespoken::protocol::close::RESTARTING), "it comes back as the one session");
    for chat in [&one, &two] {
        ws.join(chat.id).await;
    }
    let out = app.browser().form("/logout", &[]).header("origin", &app.url).header("cookie", &cookies);
    assert_eq!(without_dropped(&cookies, &Answer::to(out).await.expect(303)), "");
    assert_eq!(ws.closed().await, Some(bespoken::protocol::close::NOT_ALLOWED));
    for chat in [&one, &two] {
        get_with(&app, &cookies, &format!("/chat/{}", chat.id)).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_opened_while_another_tab_signs_in_is_not_lost() {
    let app = TestApp::start().await;
    let customer = app.customer("Cleo").await;
    let (one, two) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let guest = app.browser().get(&format!("/chat?chatId={}", one.chat_id)).await.expect(303).cookie();
    // Both answers reach a new browser: that of signing in, and that of the link.
    let cookies = format!("{}; {guest}", customer.cookie);
    for chat in [&one, &two] {
        get_with(&app, &cookies, &format!("/chat?chatId={}", chat.chat_id)).await.expect(303);
        get_with(&app, &customer.cookie, &format!("/chat/{}", chat.id)).await.expect(200);
    }
    // The guest's session is not there any more when the link asks for it.
    let three = app.open("Pine shelf").await;
    let answer = get_with(&app, &guest, &format!("/chat?chatId={}", three.chat_id)).await.expect(303);
    let cookies = format!("{}; {}", customer.cookie, answer.cookie());
    get_with(&app, &cookies, &format!("/chat/{}", three.id)).await.expect(200);
    // They are the account's now, as when a guest signs in.
    for chat in [&one, &three] {
        app.admin().delete(&format!("/conversations/{}/link", chat.id)).await.expect(204);
        get_with(&app, &customer.cookie, &format!("/chat/{}", chat.id)).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cookies_of_sessions_are_bounded_and_made_up_ones_open_nothing() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let cookie = app.browser().get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303).cookie();
    let path = format!("/chat/{}", chat.id);
    let made_up = |count: u32| (0..count).map(|n| format!("bespoken-{n:08x}=made-up; ")).collect::<String>();
    get_with(&app, &made_up(100), &path).await.expect(404);
    // What stands for nothing goes, so that in the end the right one is found.
    let mut cookies = made_up(40) + &cookie;
    for _ in 0..3 {
        let answer = get_with(&app, &cookies, &path).await;
        cookies = without_dropped(&cookies, &answer);
    }
    assert_eq!(cookies, cookie);
    get_with(&app, &cookies, &path).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_of_one_chat_finds_no_other() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    app.say(other.id, "not for everyone").await;
    let browser = app.guest_browser(&chat).await;
    for id in [other.id.to_string(), fresh().to_string(), "1".to_owned()] {
        let page = browser.get(&format!("/chat/{id}")).await.expect(404);
        expect_page(&page);
        assert!(!page.text.contains("not for everyone") && !page.text.contains("Brass lamp"));
        browser.submit(&format!("/chat/{id}"), &[("content", "hello")]).await.expect(404);
    }
    app.browser().get(&format!("/chat/{}", chat.id)).await.expect(404);
    app.browser().submit(&format!("/chat/{}", chat.id), &[("content", "hello")]).await.expect(404);
    let stored = app.admin().get(&format!("/conversations/{}", other.id)).await.json();
    assert_eq!(stored["last_seq"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_who_tries_a_link_stays_an_admin() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.admin_browser().await;
    browser.get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303);
    let answer = browser.get(&format!("/chat/{}", chat.id)).await.expect(303);
    assert_eq!(answer.header("location"), format!("/admin?chat={}", chat.id));
    browser.get("/admin").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_lists_the_chats_whose_links_it_opened() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let (first, second, other) = (app.open("Ada").await, app.open("Ben").await, app.open("Cleo").await);
        app.say(first.id, "About the table").await;
        app.say(second.id, "About the shelf").await;
        app.say(other.id, "A secret").await;
        let browser = app.guest_browser(&first).await;
        browser.get(&format!("/chat?chatId={}", second.chat_id)).await.expect(303);
        let page = browser.get("/account").await.expect(200).text;
        for (chat, words) in [(&first, "About the table"), (&second, "About the shelf")] {
            assert!(page.contains(words) && page.contains(&format!("/chat/{}", chat.id)), "{page}");
        }
        assert!(!page.contains("A secret") && !page.contains("/requests/new"), "{page}");
        let at = |words: &str| page.find(words).unwrap();
        assert!(at("About the shelf") < at("About the table"), "latest activity first");
        app.close(second.id).await;
        app.say(first.id, "It is ready").await;
        let page = browser.get("/account").await.expect(200).text;
        assert!(page.find("It is ready").unwrap() < page.find("About the shelf").unwrap(), "{page}");
        app.admin().delete(&format!("/conversations/{}/link", second.id)).await.expect(204);
        assert!(!browser.get("/account").await.expect(200).text.contains("About the shelf"));
    }
}
