//! Subcommands that look after the library: `delete`, `keep`, `library`.

use std::process::ExitCode;

use inspector_engine::{KEEP_SETTING, Places};
use inspector_model::Keep;

use crate::arguments::{Delete, ExpireAfter, KeepMark, Library};
use crate::library::{bytes, find, store, store_with};
use crate::passphrase;
use crate::terminal::{json, line};

/// Deletes recordings for good.
pub fn delete(places: &Places, delete: &Delete) -> anyhow::Result<ExitCode> {
    let store = store(places)?;
    // All names first: a wrong one deletes nothing.
    let ids = delete.recordings.iter().map(|name| find(&store, name)).collect::<anyhow::Result<Vec<_>>>()?;
    for id in ids {
        store.delete(&id)?;
        eprintln!("Deleted {id}; nothing of it can be read any more");
    }
    Ok(ExitCode::SUCCESS)
}

/// Marks a recording as one that does not expire, or takes the mark away.
pub fn keep(places: &Places, keep: &KeepMark) -> anyhow::Result<ExitCode> {
    let store = store(places)?;
    let id = find(&store, &keep.recording)?;
    store.set_kept(&id, !keep.no_longer)?;
    eprintln!("{id} {}", if keep.no_longer { "expires with the others" } else { "is kept however old it is" });
    Ok(ExitCode::SUCCESS)
}

/// What `library …` asks for.
pub fn library(places: &Places, command: &Library) -> anyhow::Result<ExitCode> {
    match command {
        Library::Status { json } => status(places, *json),
        Library::Encrypt { new_passphrase_file } => {
            let store = store(places)?;
            anyhow::ensure!(
                !store.has_passphrase(),
                "the library is encrypted; `djust-inspector library change-passphrase` changes its passphrase"
            );
            let new = match passphrase::given(places)? {
                Some(given) if new_passphrase_file.is_none() => given,
                _ => passphrase::new(new_passphrase_file.as_deref())?,
            };
            store.set_passphrase(None, Some(&new))?;
            eprintln!("The library is encrypted. Whoever forgets the passphrase has lost it: nobody can read it without");
            Ok(ExitCode::SUCCESS)
        }
        Library::Decrypt => {
            let given = passphrase::of_library(places)?;
            let store = store_with(places, given.as_ref())?;
            anyhow::ensure!(store.has_passphrase(), "the library is not encrypted");
            store.set_passphrase(given.as_ref(), None)?;
            eprintln!("The library is no longer encrypted");
            Ok(ExitCode::SUCCESS)
        }
        Library::ChangePassphrase { new_passphrase_file } => {
            let given = passphrase::of_library(places)?;
            let store = store_with(places, given.as_ref())?;
            anyhow::ensure!(store.has_passphrase(), "the library is not encrypted; `djust-inspector library encrypt` does it");
            let new = passphrase::new(new_passphrase_file.as_deref())?;
            store.set_passphrase(given.as_ref(), Some(&new))?;
            eprintln!("The library has the new passphrase. Whoever forgets it has lost the library");
            Ok(ExitCode::SUCCESS)
        }
        Library::Expire { after } => expire(places, *after),
    }
}

/// Sets from what age on recordings are deleted, and deletes those that are older.
fn expire(places: &Places, ExpireAfter(days): ExpireAfter) -> anyhow::Result<ExitCode> {
    let store = store(places)?;
    let keep = Keep { expire_days: days, ..store.setting(KEEP_SETTING).unwrap_or_default() };
    store.set_setting(KEEP_SETTING, &keep)?;
    let expired = store.expire(days, crate::now()?, &|_| false, &|_, _| true)?;
    for info in &expired {
        eprintln!("Expired and deleted: {}  {}", info.id, line(&info.title));
    }
    eprintln!("{}", in_words(days));
    Ok(ExitCode::SUCCESS)
}

fn status(places: &Places, as_json: bool) -> anyhow::Result<ExitCode> {
    let store = store(places)?;
    let recordings = store.recordings()?;
    let taken: u64 = recordings.iter().map(|info| info.bytes).sum();
    let Keep { expire_days, .. } = store.setting(KEEP_SETTING).unwrap_or_default();
    if as_json {
        let status = serde_json::json!({
            "path": places.data,
            "recordings": recordings.len(),
            "bytes": taken,
            "encrypted": store.has_passphrase(),
            "expire_days": expire_days,
        });
        println!("{}", json(&status)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", places.data.display());
    println!("{} recordings, {}", recordings.len(), bytes(taken));
    println!("{}", if store.has_passphrase() { "encrypted with a passphrase" } else { "not encrypted; files are readable by you alone" });
    println!("{}", in_words(expire_days));
    Ok(ExitCode::SUCCESS)
}

fn in_words(days: u32) -> String {
    match days {
        0 => "recordings do not expire".to_owned(),
        1 => "recordings expire after 1 day, unless they are kept or have bookmarks".to_owned(),
        days => format!("recordings expire after {days} days, unless they are kept or have bookmarks"),
    }
}
