//! A store in a backing of one's own: `cargo run --example map_backing`.

mod backing;

use backing::MapPlace;
use konserve::{Config, Result, blocking::wait, open_store};

fn main() -> Result<()> {
    wait(async {
        let store = open_store(Config::at(MapPlace::default())).await?;
        store.assoc_in(("user", "name"), "Ada").await?;
        store.update_in(("user", "visits"), |visits: Option<u64>| visits.unwrap_or(0) + 1).await?;
        let name: Option<String> = store.get_in(("user", "name")).await?;
        println!("{}", name.unwrap_or_default());
        store.close().await
    })
}
