//! People's input never becomes markup, on any page and in any field.
//!
//! A crawler reads the pages as each kind of person, with an HTML parser. It follows every link and submits every form,
//! so it covers a new page without a new test.

use std::collections::BTreeSet;

use bespoken::domain::{CustomRequest, Role, percent_encoded};
use scraper::{ElementRef, Html, Selector};
use serde_json::json;

use super::expect_page;
use crate::support::*;

/// Ends every kind of element and attribute in which text can be.
const HOSTILE: &str = r#""'></title></textarea></script></style></noscript>--><zzq onload=alert(1)>"#;
/// How much one person is shown at most. The crawler fails there, so as not to miss a page in silence.
const MOST_PAGES: usize = 400;

fn select(css: &str) -> Selector {
    Selector::parse(css).unwrap()
}

/// Parses a page like a browser, and checks that people's input adds no markup.
#[track_caller]
fn expect_no_markup(address: &str, html: &str) -> Html {
    let page = Html::parse_document(html);
    assert!(page.select(&select("zzq")).next().is_none(), "text became an element on {address}: {html}");
    for element in page.root_element().descendent_elements() {
        let name = element.value().name();
        let handler = element.value().attrs().find(|(name, _)| name.starts_with("on"));
        assert!(handler.is_none(), "a handler in an attribute of {name} on {address}");
        let runs = name == "script" && element.attr("type") != Some("application/json");
        assert!(!runs || element.attr("nonce").is_some(), "a script without a nonce on {address}");
        assert!(!matches!(name, "iframe" | "object" | "embed" | "base"), "{name} on {address}");
        assert!(name != "meta" || element.attr("http-equiv").is_none(), "a meta that acts on {address}");
        let address_of = element.attr("href").or(element.attr("src")).or(element.attr("action")).unwrap_or_default();
        assert!(!address_of.trim().to_lowercase().starts_with("javascript:"), "{address_of} on {address}");
    }
    page
}

/// The fields of a form, with [`HOSTILE`] in every text field.
fn filled_in(form: ElementRef) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for field in form.select(&select("input, textarea, select")) {
        let Some(name) = field.attr("name") else { continue };
        let value = match (field.value().name(), field.attr("type").unwrap_or("text")) {
            ("select", _) => {
                let options = field.select(&select("option[selected]")).chain(field.select(&select("option"))).next();
                options.and_then(|option| option.attr("value")).unwrap_or_default().to_owned()
            }
            (_, "hidden" | "radio" | "checkbox") => field.attr("value").unwrap_or_default().to_owned(),
            (_, "file") => continue,
            _ => HOSTILE.to_owned(),
        };
        fields.push((name.to_owned(), value));
    }
    fields
}

/// Forms that end the crawl itself, or have nothing to write in.
fn is_worth_sending(form: ElementRef) -> bool {
    form.attr("action") != Some("/logout")
        && form.select(&select("input:not([type=hidden]):not([type=file]), textarea")).next().is_some()
}

/// Reads every page that `browser` can reach from `starts`, and the answer to every form. Returns the pages' paths.
async fn crawl(browser: &Browser, starts: &[String]) -> BTreeSet<String> {
    let mut waiting: Vec<String> = starts.to_vec();
    let mut seen = BTreeSet::new();
    let mut sent = BTreeSet::new();
    while let Some(address) = waiting.pop() {
        if !seen.insert(address.clone()) {
            continue;
        }
        assert!(seen.len() < MOST_PAGES, "there is no end of pages: {seen:?}");
        let answer = browser.get(&address).await;
        if let Some(next) = answer.headers.get("location") {
            waiting.push(next.to_str().unwrap().to_owned());
            continue;
        }
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        let forms: Vec<_> = {
            let page = expect_no_markup(&address, &answer.text);
            for link in page.select(&select("a[href^='/']")) {
                let link = link.attr("href").unwrap().split('#').next().unwrap();
                // Every page of a list has links to the same: one search in each is enough.
                if !link.starts_with("/api/") && !link.contains("zzq") {
                    waiting.push(link.to_owned());
                }
            }
            let every_form = select("form");
            let forms = page.select(&every_form).filter(|form| is_worth_sending(*form));
            forms
                .map(|form| {
                    let action = form.attr("action").unwrap_or(&address).to_owned();
                    let is_post = form.attr("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
                    (action, is_post, filled_in(form))
                })
                .collect()
        };
        for (action, is_post, fields) in forms {
            let names: Vec<_> = fields.iter().map(|(name, _)| name.clone()).collect();
            if !sent.insert((action.clone(), is_post, names)) {
                continue;
            }
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = if is_post {
                browser.submit(&action, &fields).await
            } else {
                let encoded = |(name, value): &(&str, &str)| format!("{name}={}", percent_encoded(value, b""));
                let query: Vec<_> = fields.iter().map(encoded).collect();
                let page = action.split('?').next().unwrap_or_default();
                browser.get(&format!("{page}?{}", query.join("&"))).await
            };
            if answer.headers.get("location").is_none() {
                expect_no_markup(&action, &answer.text);
            }
        }
    }
    seen.iter().map(|address| address.split('?').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markup_in_any_field_is_text_on_every_page() {
    let app = TestApp::with_settings(|settings| {
        settings.business = HOSTILE.to_owned();
        settings.limits.sends = 100_000;
        settings.limits.link_guesses = 100_000;
    })
    .await;
    let (admin, customer, guest) = (app.admin_browser().await, app.browser(), app.browser());
    let profile = [("name", HOSTILE), ("email", "admin@example.com")];
    admin.submit("/account/profile", &profile).await.expect(303);
    let owner = app.service.create_user("owner@example.com", HOSTILE, PASSWORD, Role::Customer).await.unwrap();
    customer.sign_in("owner@example.com", PASSWORD).await.expect(303);

    let request = json!({ "title": HOSTILE, "description": HOSTILE, "customer_id": owner.id });
    let request: CustomRequest = app.admin().post("/requests", request).await.expect(201).read();
    let drawing = HOSTILE.replace('"', "'");
    let path = format!("/requests/{}/attachments", request.id);
    app.admin().upload(&path, &drawing, "text/plain", b"plan").await.expect(201);
    let about_request = app.open_request(request.id).await;
    let chat = app.open(HOSTILE).await;
    let metadata = json!({ "customer_name": HOSTILE, "metadata": { HOSTILE: HOSTILE } });
    app.admin().post("/conversations", metadata).await.expect(201);
    // The helper writes the name of a file into a header, in which a browser encodes `"`.
    let file_name = HOSTILE.replace('"', "'");
    for room in [chat.id, about_request.id] {
        app.say(room, HOSTILE).await;
        let file = app.file(&app.admin(), room, &file_name).await;
        let message = json!({ "content": HOSTILE, "attachment_ids": [file] });
        app.admin().post(&format!("/conversations/{room}/messages"), message).await.expect(201);
    }
    app.service.create_token("admin@example.com", Some(HOSTILE)).await.unwrap();
    guest.get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303);
    guest.submit(&format!("/chat/{}", chat.id), &[("content", HOSTILE)]).await.expect(303);

    let rated = app.open(HOSTILE).await;
    guest.get(&format!("/chat?chatId={}", rated.chat_id)).await.expect(303);
    app.close(rated.id).await;
    guest.submit(&format!("/chat/{}/rating", rated.id), &[("score", "1"), ("comment", HOSTILE)]).await.expect(303);
    let form = ["name", "welcome", "privacy", "suggestions"].map(|field| (field, HOSTILE));
    admin.submit("/admin/settings", &form).await.expect(303);

    // Addresses are read into pages too.
    let hostile = percent_encoded(HOSTILE, b"");
    let mut starts: Vec<String> = ["", "admin", "admin/requests", "admin/people", "admin/tokens", "account", "chat"]
        .iter()
        .flat_map(|page| {
            ["q", "next", "tab", "chat", "status", "order", "new", "token", "chatId", "cursor", "from"]
                .map(|name| format!("/{page}?{name}={hostile}"))
        })
        .collect();
    starts.extend(
        ["login", "register", "reset", "invite", "setup", "problem", "requests/new"]
            .map(|page| format!("/{page}?next={hostile}&token={hostile}")),
    );
    starts.extend(["/", "/account", "/admin", "/admin/requests", "/docs/api", "/logout"].map(str::to_owned));
    starts.push(format!("/{hostile}"));
    starts.push(format!("/chat/{}", chat.id));
    starts.push(format!("/admin?chat={}", chat.id));
    starts.push(format!("/admin?chat={}", rated.id));
    starts.push(format!("/requests/{}?chat=1", request.id));
    starts.push(format!("/admin/requests?chat={}", request.id));
    starts.push(format!("/account?chat={}", request.id));

    for (browser, pages) in [
        (&app.browser(), vec!["/login", "/register", "/forgot"]),
        (&guest, vec!["/chat/{chat}", "/chat/{rated}", "/account"]),
        (&customer, vec!["/account", "/requests/{request}", "/requests/{request}/edit", "/requests/new"]),
        (
            &admin,
            vec![
                "/admin",
                "/admin/requests",
                "/admin/people",
                "/admin/tokens",
                "/admin/settings",
                "/requests/{request}",
            ],
        ),
    ] {
        let seen = crawl(browser, &starts).await;
        for page in pages {
            let page = page.replace("{chat}", &chat.id.to_string()).replace("{request}", &request.id.to_string());
            let page = page.replace("{rated}", &rated.id.to_string());
            assert!(seen.contains(&page), "{page} was not read, but {seen:?}");
        }
    }

    let page = admin.get(&format!("/admin?chat={}", chat.id)).await.expect(200);
    expect_page(&page);
    let title = Html::parse_document(&page.text);
    let title: String = title.select(&select("head > title")).next().expect("a title").text().collect();
    assert!(title.starts_with(HOSTILE), "the name is in the title as it was written: {title}");
    for room in [chat.id, about_request.id] {
        let transcript = app.admin().get(&format!("/conversations/{room}/transcript?format=html")).await.expect(200);
        expect_no_markup("a transcript", &transcript.text);
        assert!(transcript.text.contains("&lt;zzq"), "{}", transcript.text);
    }
}
