//! Files that pretend to be something else.

use crate::{
    Attack, Group,
    http::{Reply, send},
    target::{Target, upload},
};

pub const GROUP: Group =
    Group { name: "uploads", variables: &[("BESPOKEN_LIMIT_SENDS", "100000")], only: None, attacks: ATTACKS };

/// Uploads this and reads it back.
fn round_trip(target: &Target, name: &str, media_type: &str, bytes: &[u8]) -> Reply {
    let mallory = &target.mallory;
    let uploaded = upload(target.address, &mallory.person, &mallory.conversation, name, media_type, bytes);
    if uploaded.status != 201 {
        return uploaded;
    }
    let id = uploaded.json()["id"].as_str().unwrap().to_owned();
    target.get(&mallory.person, &format!("/api/v1/attachments/{id}"))
}

/// A browser's treatment: `saved` as a download, or `shown` as a picture.
fn treated(reply: &Reply) -> String {
    let (media_type, disposition) = (reply.header("content-type"), reply.header("content-disposition"));
    let policy = reply.header("content-security-policy");
    let guarded = policy.contains("sandbox")
        && policy.contains("default-src 'none'")
        && reply.header("x-content-type-options") == "nosniff"
        && reply.header("cross-origin-resource-policy") == "same-origin";
    if reply.status != 200 {
        return format!("refused with {}", reply.status);
    }
    if !guarded {
        return format!("without guard: {policy}");
    }
    let how = disposition.split(';').next().unwrap_or_default();
    match (how, media_type) {
        ("attachment", "application/octet-stream") => "saved as bytes".to_owned(),
        ("inline", "image/png" | "image/jpeg" | "image/gif" | "image/webp") => "shown as a picture".to_owned(),
        _ => format!("{how} as {media_type}"),
    }
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "scripts and pages under every name and type",
        expected: "saved as bytes",
        run: |target| {
            let contents: [&[u8]; 6] = [
                b"alert(document.cookie)",
                b"<!doctype html><script>alert(1)</script>",
                b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
                b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>",
                b"{\"a\": 1}",
                b"MZ\x90\x00\x03",
            ];
            let declared = [
                ("a.js", "text/javascript"),
                ("a.mjs", "application/javascript"),
                ("a.html", "text/html"),
                ("a.svg", "image/svg+xml"),
                ("a.png", "image/png"),
                ("a.jpg", "image/jpeg"),
                ("a.xhtml", "application/xhtml+xml"),
                ("a.css", "text/css"),
                ("a.wasm", "application/wasm"),
                ("a.pdf", "application/pdf"),
                ("a", "*/*"),
                ("a.txt", "text/plain; charset=utf-7"),
                ("a.exe", "multipart/x-mixed-replace"),
            ];
            let mut met = std::collections::BTreeSet::new();
            for bytes in contents {
                for (name, media_type) in declared {
                    let reply = round_trip(target, name, media_type, bytes);
                    // A type that is none may be refused.
                    if reply.status != 422 {
                        met.insert(treated(&reply));
                    }
                }
            }
            met.into_iter().collect::<Vec<_>>().join(", ")
        },
    },
    Attack {
        name: "a picture that is a script as well",
        expected: "never a script",
        run: |target| {
            for bytes in [
                &b"GIF89a/*\x00\x00\x00\x00*/=1;alert(1)"[..],
                b"\xFF\xD8\xFF\xE0/*alert*/",
                b"\x89PNG\r\n\x1A\n<script>alert(1)</script>",
            ] {
                let treated = treated(&round_trip(target, "a.gif", "text/javascript", bytes));
                if treated != "saved as bytes" && treated != "shown as a picture" && treated != "refused with 422" {
                    return treated;
                }
            }
            "never a script".to_owned()
        },
    },
    Attack {
        name: "a file is loaded as the script of a service worker",
        expected: "no script type",
        run: |target| {
            let reply = round_trip(target, "sw.js", "text/javascript", b"self.onfetch = () => {}");
            if reply.header("content-type").contains("javascript") {
                reply.header("content-type").to_owned()
            } else {
                "no script type".to_owned()
            }
        },
    },
    Attack {
        name: "an empty file, and a picture that ends too early",
        expected: "no broken picture",
        run: |target| {
            for bytes in [
                &b""[..],
                b"\x89PNG\r\n\x1A\n",
                b"\xFF\xD8\xFF\xE1\x00\x10Exif\x00\x00",
                b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
            ] {
                let treated = treated(&round_trip(target, "a.png", "image/png", bytes));
                if treated == "shown as a picture" {
                    return format!("{treated}: {bytes:?}");
                }
            }
            "no broken picture".to_owned()
        },
    },
    Attack {
        name: "names with paths, directions and control characters",
        expected: "a harmless name",
        run: |target| {
            for name in [
                "../../etc/passwd",
                "..\\..\\a.exe",
                "bill\u{202E}fdp.exe",
                "a\u{7}b",
                ".",
                "..",
                "/",
                "CON",
                "%2e%2e%2fa",
                "a\u{2066}b",
            ] {
                let mallory = &target.mallory;
                let uploaded = upload(target.address, &mallory.person, &mallory.conversation, name, "text/plain", b"a");
                if uploaded.status == 422 {
                    continue;
                }
                let stored = uploaded.json()["name"].as_str().unwrap_or_default().to_owned();
                let harmful = |c: char| {
                    c.is_control() || matches!(c, '/' | '\\' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
                };
                if stored.is_empty() || stored == "." || stored == ".." || stored.contains(harmful) {
                    return format!("{stored:?} of {name:?}");
                }
            }
            "a harmless name".to_owned()
        },
    },
    Attack {
        name: "a body that is announced with 10 GB",
        expected: "413",
        run: |target| {
            let mallory = &target.mallory;
            let headers = format!(
                "{}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 10000000000\r\n",
                mallory.person.headers(target.address)
            );
            let path = format!("/api/v1/conversations/{}/attachments", mallory.conversation);
            crate::http::send_raw(
                target.address,
                format!("POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", target.address)
                    .as_bytes(),
            )
            .status
            .to_string()
        },
    },
    Attack {
        name: "20 MB of headers within a multipart body",
        expected: "refused",
        run: |target| {
            let mallory = &target.mallory;
            let headers =
                format!("{}Content-Type: multipart/form-data; boundary=b\r\n", mallory.person.headers(target.address));
            let mut body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n".to_vec();
            body.extend(
                b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(280_000),
            );
            body.extend(b"\r\na\r\n--b--\r\n");
            let before = target.memory_mb();
            let path = format!("/api/v1/conversations/{}/attachments", mallory.conversation);
            let status = send(target.address, "POST", &path, &headers, &body).status;
            let grown = target.memory_mb().zip(before).map_or(0, |(after, before)| after.saturating_sub(before));
            if matches!(status, 0 | 400 | 413 | 422) && grown < 64 {
                "refused".to_owned()
            } else {
                format!("{status}, {grown} MB more")
            }
        },
    },
    Attack {
        name: "the files of others on the disk are not for others on the machine",
        expected: "only their owner's",
        run: |target| {
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mut waiting = vec![target.folder().to_owned()];
                while let Some(folder) = waiting.pop() {
                    for entry in std::fs::read_dir(folder).unwrap().flatten() {
                        let metadata = entry.metadata().unwrap();
                        // The log is the test's own.
                        if metadata.is_dir() {
                            waiting.push(entry.path());
                        } else if entry.file_name() != "log" && metadata.permissions().mode() & 0o077 != 0 {
                            return format!(
                                "{:o} of {}",
                                metadata.permissions().mode() & 0o777,
                                entry.path().display()
                            );
                        }
                    }
                }
            }
            #[cfg(not(unix))]
            let _ = target;
            "only their owner's".to_owned()
        },
    },
];
