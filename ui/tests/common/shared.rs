//! What an export of the sample would hold and keep back.

use inspector_model::{ErrorCode, ExportFormat, ExportOptions, ExportPlace, ExportPreview, Failure, KeptBack, RedactionRule};

/// The answer of an engine that looked through the sample's steps.
pub fn preview(options: &ExportOptions, all: usize) -> Result<ExportPreview, Failure> {
    let selection = &options.selection;
    let first = selection.first.map_or(1, |step| step.0);
    let last = selection.last.map_or(all as u64, |step| step.0);
    let steps = if selection.session.is_some() { 21 } else { (last + 1).saturating_sub(first) };
    if let Some(wrong) = options.redaction.paths.iter().find(|path| path.contains("..")) {
        return Err(Failure::new(
            ErrorCode::BadRequest,
            format!("this is no path, write `cart.owner`, `rows[*].note` or `*.phone`: {wrong}"),
        ));
    }
    if options.format == ExportFormat::BugCapture && steps != 1 {
        let why = format!("a bug capture holds one step, {steps} are selected; select one that has states");
        return Err(Failure::new(ErrorCode::BadRequest, why));
    }
    if options.redaction.off {
        return Ok(ExportPreview { steps, pages: 2, kept_back: Vec::new() });
    }
    let kept = |rule, place, count, different, examples: &[&str]| KeptBack {
        rule,
        place,
        count,
        different,
        examples: examples.iter().map(ToString::to_string).collect(),
    };
    let mut kept_back = vec![
        kept(RedactionRule::Name, ExportPlace::State, 1_284, 3, &["user.password", "user.apiKey", "checkout.card.cvc"]),
        kept(RedactionRule::Name, ExportPlace::Params, 12, 2, &["password", "csrfmiddlewaretoken"]),
        kept(RedactionRule::SameValue, ExportPlace::Page, 7, 1, &[]),
        kept(RedactionRule::Card, ExportPlace::State, 2, 1, &["order.note"]),
        kept(RedactionRule::Jwt, ExportPlace::Frame, 1, 1, &["params.headers"]),
    ];
    if options.redaction.emails {
        kept_back.push(kept(RedactionRule::Email, ExportPlace::State, 42, 2, &["user.email", "order.contact"]));
    }
    for name in &options.redaction.names {
        kept_back.push(kept(RedactionRule::Name, ExportPlace::State, 5, 5, &[name]));
    }
    Ok(ExportPreview { steps, pages: 2, kept_back })
}
