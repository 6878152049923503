//! The parts of a recording, each cleaned as what it is.

use std::borrow::Cow;

use inspector_model::{
    ConfigKey, Configuration, ExportPlace, PageShell, RedactionRule, ServerInfo, Session, Step, StepDetail, Value, parse_value,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Redactor, Sort};
use crate::ShareError;
use crate::patterns::MARK;

impl Redactor {
    /// A step's line.
    pub fn step(&mut self, step: &Step) -> Result<Step, ShareError> {
        let mut clean: Step = self.strings(step, ExportPlace::Step)?;
        clean.error = step.error.as_deref().map(|error| self.text(error, ExportPlace::Error, Sort::Free));
        Ok(clean)
    }

    /// Everything else about a step.
    pub fn detail(&mut self, detail: StepDetail) -> StepDetail {
        if self.rules.is_none() {
            return detail;
        }
        let StepDetail { params, raw_params, reference, timing, error, sql, logs, frames, missing } = detail;
        let mut free = |text: String, place| self.text(&text, place, Sort::Free);
        let error = error.map(|mut error| {
            error.kind = free(error.kind, ExportPlace::Error);
            error.message = free(error.message, ExportPlace::Error);
            error.traceback = error.traceback.map(|text| free(text, ExportPlace::Error));
            error
        });
        let logs = logs.into_iter().map(|mut record| {
            record.level = free(record.level, ExportPlace::Log);
            record.logger = free(record.logger, ExportPlace::Log);
            record.message = free(record.message, ExportPlace::Log);
            record.traceback = record.traceback.map(|text| free(text, ExportPlace::Log));
            record
        });
        let logs = logs.collect();
        let sql = sql
            .into_iter()
            .map(|mut query| {
                query.params = query.params.map(|params| self.sql_params(&query.sql, params));
                query.sql = self.text(&query.sql, ExportPlace::Sql, Sort::Value);
                query.db = query.db.map(|db| self.text(&db, ExportPlace::Sql, Sort::Free));
                query
            })
            .collect();
        let frames = frames
            .into_iter()
            .map(|mut frame| {
                frame.dir = self.text(&frame.dir, ExportPlace::Frame, Sort::Free);
                frame.text = self.json_text(frame.text, ExportPlace::Frame);
                frame
            })
            .collect();
        StepDetail {
            params: params.map(|text| self.json_text(text, ExportPlace::Params)),
            raw_params: raw_params.map(|text| self.json_text(text, ExportPlace::Params)),
            reference,
            timing,
            error,
            sql,
            logs,
            frames,
            missing: missing.map(|why| self.text(&why, ExportPlace::Step, Sort::Free)),
        }
    }

    /// A person's note on a step.
    pub fn note(&mut self, note: &str) -> String {
        self.text(note, ExportPlace::Step, Sort::Free)
    }

    /// The HTML of a page.
    pub fn html(&mut self, html: &str) -> String {
        self.string(html, ExportPlace::Page).into_owned()
    }

    /// What is known of a page.
    pub fn session(&mut self, session: &Session) -> Result<Session, ShareError> {
        self.strings(session, ExportPlace::Session)
    }

    /// What surrounds a page.
    pub fn shell(&mut self, shell: &PageShell) -> Result<PageShell, ShareError> {
        self.strings(shell, ExportPlace::Page)
    }

    /// The server.
    pub fn server(&mut self, server: &ServerInfo) -> Result<ServerInfo, ShareError> {
        self.strings(server, ExportPlace::Server)
    }

    /// The configuration.
    pub fn config(&mut self, config: &Configuration) -> Result<Configuration, ShareError> {
        let mut config: Configuration = self.strings(config, ExportPlace::Server)?;
        for ConfigKey { key, default, value, .. } in config.keys.iter_mut().chain(&mut config.related) {
            for value in [default, value] {
                *value = self.named_json(key, value)?;
            }
        }
        for view in &mut config.views {
            for (name, attribute) in &mut view.attributes {
                attribute.value = self.named_json(name, &attribute.value)?;
            }
        }
        Ok(config)
    }

    /// A JSON value of a setting.
    fn named_json(&mut self, name: &str, json: &serde_json::Value) -> Result<serde_json::Value, ShareError> {
        let Ok(value) = parse_value(&json.to_string()) else { return Ok(serde_json::Value::Null) };
        let wrapped = self.value(Value::Map(vec![(name.to_owned(), value)]), ExportPlace::Server);
        let Value::Map(entries) = wrapped else { return Ok(serde_json::Value::Null) };
        Ok(entries.into_iter().next().map(|(_, value)| serde_json::to_value(value)).transpose()?.unwrap_or_default())
    }

    /// Something of a known shape: all its texts, but no names, which are ours.
    fn strings<T: Serialize + DeserializeOwned + Clone>(&mut self, value: &T, place: ExportPlace) -> Result<T, ShareError> {
        if self.rules.is_none() {
            return Ok(value.clone());
        }
        let mut json = serde_json::to_value(value)?;
        self.walk(&mut json, place);
        Ok(serde_json::from_value(json)?)
    }

    fn walk(&mut self, json: &mut serde_json::Value, place: ExportPlace) {
        match json {
            serde_json::Value::String(text) => {
                if let Cow::Owned(clean) = self.string(text, place) {
                    *text = clean;
                }
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item, place)),
            serde_json::Value::Object(entries) => entries.values_mut().for_each(|item| self.walk(item, place)),
            _ => {}
        }
    }

    /// JSON text; what is none is free text.
    fn json_text(&mut self, text: String, place: ExportPlace) -> String {
        match parse_value(&text) {
            Ok(value @ (Value::Map(_) | Value::List(_) | Value::Text(_) | Value::Typed { .. })) => {
                let clean = self.value(value.clone(), place);
                // Untouched, it stays as it was sent, to the byte.
                if clean == value { text } else { clean.to_json() }
            }
            Ok(_) => text,
            Err(_) => self.text(&text, place, Sort::Free),
        }
    }

    /// The parameters of a query, hidden as a whole when the query names a secret's column.
    fn sql_params(&mut self, sql: &str, params: String) -> String {
        if params.starts_with(MARK) {
            return params;
        }
        let column = sql.split(|c: char| !c.is_ascii_alphabetic() && c != '_').find(|word| word.len() > 2 && self.hides(word));
        match column.map(str::to_owned) {
            Some(column) => self.mark(RedactionRule::Name, ExportPlace::Sql, &params, &column),
            None => self.text(&params, ExportPlace::Sql, Sort::Free),
        }
    }
}
