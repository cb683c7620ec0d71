//! `cargo xtask lighthouse`: a guest's first visit to the release build by the shared link, measured by Lighthouse
//! with its mobile setting. Fails if the median of the runs is out of bounds. It is not a test, because other work on
//! the machine changes the times.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::demo::Demo;
use crate::process::{Context, Failure, Outcome, output, run, say};
use crate::workspace::Workspace;
use crate::{build, server, setup};

/// Default of `--runs`.
const RUNS: usize = 3;

enum Bound {
    Least(f64),
    Most(f64),
    None,
}

/// The printed values: name, JSON pointer in the report, factor, unit, and bound.
const FIGURES: [(&str, &str, f64, &str, Bound); 10] = [
    ("performance", "/categories/performance/score", 100.0, "", Bound::Least(97.0)),
    ("accessibility", "/categories/accessibility/score", 100.0, "", Bound::Least(100.0)),
    ("best practices", "/categories/best-practices/score", 100.0, "", Bound::Least(100.0)),
    // Chats exclude search engines, which costs half of this score.
    ("SEO", "/categories/seo/score", 100.0, "", Bound::None),
    ("first contentful paint", "/audits/first-contentful-paint/numericValue", 0.001, "s", Bound::None),
    ("largest contentful paint", "/audits/largest-contentful-paint/numericValue", 0.001, "s", Bound::Most(1.8)),
    ("total blocking time", "/audits/total-blocking-time/numericValue", 1.0, "ms", Bound::Most(50.0)),
    ("cumulative layout shift", "/audits/cumulative-layout-shift/numericValue", 1.0, "", Bound::Most(0.0)),
    ("time to interactive", "/audits/interactive/numericValue", 0.001, "s", Bound::Most(2.4)),
    ("transferred", "/audits/total-byte-weight/numericValue", 0.001, "KB", Bound::None),
];

pub fn start(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let runs = match arguments {
        [] => RUNS,
        [flag, number] if flag == "--runs" => number.parse().context("--runs")?,
        _ => return Err(Failure::new("lighthouse takes `--runs N` and nothing else")),
    };
    build::start(workspace, &[])?;
    let packages = workspace.root.join("benches/lighthouse");
    setup::node_packages(workspace, &packages)?;
    let chromium = setup::chromium(workspace)?;
    let folder = workspace.root.join("target/lighthouse");
    let program = server::program(workspace, server::Profile::Release);

    let mut reports = Vec::new();
    for at in 1..=runs.max(1) {
        say(format!("run {at}; leave the machine alone meanwhile"));
        // Each run has a new visitor and a new server.
        let demo = Demo::start(workspace, &program, &folder, &[])?;
        let report = folder.join(format!("{at}.json"));
        let mut command = Command::new("node");
        command
            .arg("node_modules/lighthouse/cli/index.js")
            .arg(demo.link("come as a guest:")?)
            .args(["--quiet", "--output=json", "--output-path"])
            .arg(&report)
            .arg(format!("--chrome-flags={}", flags()))
            .current_dir(&packages);
        if let Some(chromium) = &chromium {
            command.env("CHROME_PATH", chromium);
        }
        run(&mut command)?;
        let report: Value = serde_json::from_slice(&fs::read(&report)?).context("Lighthouse's report")?;
        if let Some(problem) = report.pointer("/runtimeError/message").and_then(Value::as_str) {
            return Err(Failure::new(format!("Lighthouse: {problem}")));
        }
        reports.push(report);
    }
    print(&reports)
}

/// As root, as in containers, Chromium has no sandbox.
fn flags() -> String {
    let root = output(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    let sandbox = if root { " --no-sandbox" } else { "" };
    format!(
        "--headless=new --disable-gpu --disable-quic --disable-background-networking --disable-component-update \
         --disable-sync{sandbox}"
    )
}

fn print(reports: &[Value]) -> Outcome {
    let mut outside = Vec::new();
    println!("{:<28}{:>10}  {:<12}each run", "", "median", "bound");
    for (name, pointer, factor, unit, bound) in FIGURES {
        let values = reports.iter().map(|report| {
            let value = report.pointer(pointer).and_then(Value::as_f64);
            value.map(|value| value * factor).ok_or_else(|| Failure::new(format!("Lighthouse has no {name}")))
        });
        let values: Vec<f64> = values.collect::<Outcome<_>>()?;
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        let (held, words) = match bound {
            Bound::Least(least) => (median >= least, format!("≥ {least}")),
            // A shift below the visible size counts as none.
            Bound::Most(most) => (median <= most + 0.0005, format!("≤ {most}")),
            Bound::None => (true, String::new()),
        };
        let shown = |value: f64| format!("{}{unit}", (value * 1000.0).round() / 1000.0);
        let each: Vec<_> = values.into_iter().map(shown).collect();
        println!("{name:<28}{:>10}  {words:<12}{}", shown(median), each.join(", "));
        if !held {
            outside.push(format!("{name} is {}, and should be {words}", shown(median)));
        }
    }
    let failing = reports.first().map(failing).unwrap_or_default();
    if !failing.is_empty() {
        println!("\nin the first run not passed: {}", failing.join(", "));
    }
    if outside.is_empty() { Ok(()) } else { Err(Failure::new(outside.join("; "))) }
}

/// The failed audits that affect the score.
fn failing(report: &Value) -> Vec<String> {
    let categories = report["categories"].as_object().into_iter().flatten();
    let counted = categories.filter(|(name, _)| !["performance", "seo"].contains(&name.as_str()));
    let audits = counted.flat_map(|(_, category)| category["auditRefs"].as_array().into_iter().flatten());
    audits
        .filter(|audit| audit["weight"].as_f64() > Some(0.0))
        .filter_map(|audit| audit["id"].as_str())
        .filter(|id| report["audits"][id]["score"].as_f64().is_some_and(|score| score < 1.0))
        .map(str::to_owned)
        .collect()
}
