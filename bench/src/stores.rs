//! Where a tool could put the frames that it receives, as they are.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use redb::{Database, Durability, ReadableTable as _, TableDefinition};
use rusqlite::{Connection, params};

/// How often everything so far is made to survive a crash, as the inspector does.
pub const FLUSH_EVERY: Duration = Duration::from_millis(500);

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("frames");

/// Keeps frames under their numbers.
pub trait Keeper: Send {
    /// Takes one.
    fn put(&mut self, number: u64, frame: &[u8]) -> anyhow::Result<()>;
    /// Makes all of them survive a crash.
    fn flush(&mut self) -> anyhow::Result<()>;
}

/// Which one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file that only grows: the limit.
    Raw,
    /// sled, one value per frame.
    Sled,
    /// redb, one transaction per flush.
    Redb,
    /// `SQLite` with a write-ahead log, one transaction per flush.
    Sqlite,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 4] = [Self::Raw, Self::Sled, Self::Redb, Self::Sqlite];

    /// What tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw append and fsync",
            Self::Sled => "sled, one value per frame",
            Self::Redb => "redb, one value per frame",
            Self::Sqlite => "SQLite, one row per frame",
        }
    }

    /// An empty one in a folder.
    pub fn create(self, folder: &Path) -> anyhow::Result<Box<dyn Keeper>> {
        Ok(match self {
            Self::Raw => Box::new(Raw(BufWriter::with_capacity(1 << 20, File::create(folder.join("raw"))?))),
            Self::Sled => Box::new(open_sled(folder)?),
            Self::Redb => Box::new(Redb { db: Database::create(folder.join("redb"))?, batch: Vec::new() }),
            Self::Sqlite => Box::new(open_sqlite(folder)?),
        })
    }

    /// Opens one that is there and reads its last frame.
    pub fn reopen(self, folder: &Path) -> anyhow::Result<usize> {
        Ok(match self {
            // A file of frames has no index: it is read from one end to the other.
            Self::Raw => fs::read(folder.join("raw"))?.len(),
            Self::Sled => open_sled(folder)?.last()?.map_or(0, |(_, frame)| frame.len()),
            Self::Redb => {
                let db = Database::open(folder.join("redb"))?;
                let table = redb::ReadableDatabase::begin_read(&db)?.open_table(TABLE)?;
                table.last()?.map_or(0, |(_, frame)| frame.value().len())
            }
            Self::Sqlite => {
                let db = open_sqlite(folder)?;
                db.query_row("SELECT frame FROM frames ORDER BY number DESC LIMIT 1", [], |row| row.get::<_, Vec<u8>>(0))?.len()
            }
        })
    }
}

struct Raw(BufWriter<File>);

impl Keeper for Raw {
    fn put(&mut self, _: u64, frame: &[u8]) -> anyhow::Result<()> {
        Ok(self.0.write_all(frame)?)
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.0.flush()?;
        Ok(self.0.get_ref().sync_data()?)
    }
}

fn open_sled(folder: &Path) -> anyhow::Result<sled::Db> {
    Ok(sled::Config::new().path(folder.join("sled")).cache_capacity(32 << 20).flush_every_ms(None).open()?)
}

impl Keeper for sled::Db {
    fn put(&mut self, number: u64, frame: &[u8]) -> anyhow::Result<()> {
        self.insert(number.to_be_bytes(), frame)?;
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        sled::Tree::flush(self)?;
        Ok(())
    }
}

struct Redb {
    db: Database,
    batch: Vec<(u64, Vec<u8>)>,
}

impl Keeper for Redb {
    fn put(&mut self, number: u64, frame: &[u8]) -> anyhow::Result<()> {
        self.batch.push((number, frame.to_vec()));
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let mut transaction = self.db.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        let mut table = transaction.open_table(TABLE)?;
        for (number, frame) in self.batch.drain(..) {
            table.insert(number, frame.as_slice())?;
        }
        drop(table);
        Ok(transaction.commit()?)
    }
}

fn open_sqlite(folder: &Path) -> anyhow::Result<Connection> {
    let db = Connection::open(folder.join("sqlite"))?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS frames (number INTEGER PRIMARY KEY, frame BLOB)",
    )?;
    Ok(db)
}

impl Keeper for Connection {
    fn put(&mut self, number: u64, frame: &[u8]) -> anyhow::Result<()> {
        if self.is_autocommit() {
            self.execute_batch("BEGIN")?;
        }
        self.prepare_cached("INSERT INTO frames VALUES (?, ?)")?.execute(params![number as i64, frame])?;
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        if !self.is_autocommit() {
            self.execute_batch("COMMIT")?;
        }
        Ok(())
    }
}

/// Bytes that a folder takes on the disk.
pub fn disk_bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        sum += if about.is_dir() { disk_bytes(&entry.path())? } else { allocated(&about) };
    }
    Ok(sum)
}

#[cfg(unix)]
fn allocated(about: &fs::Metadata) -> u64 {
    // Files may have holes.
    std::os::unix::fs::MetadataExt::blocks(about) * 512
}

#[cfg(not(unix))]
fn allocated(about: &fs::Metadata) -> u64 {
    about.len()
}
