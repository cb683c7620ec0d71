//! Migrations are embedded by a macro, which by itself does not notice when a file is added.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
