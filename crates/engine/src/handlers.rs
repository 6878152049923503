//! What a browser may call on the pages of one view class: the same for all of them, and the largest part of what is known of
//! a page. It is kept once.

use std::collections::HashMap;
use std::sync::Arc;

use inspector_model::{HandlerInfo, Session};

/// The handlers that were seen last, by class.
#[derive(Debug, Default)]
pub struct Handlers(HashMap<String, Arc<[HandlerInfo]>>);

impl Handlers {
    /// Makes the views of a page share theirs with those of other pages.
    pub fn share(&mut self, session: &mut Session) {
        for view in session.view.iter_mut().chain(&mut session.children) {
            match self.0.get(&view.class) {
                Some(known) if *known == view.handlers => view.handlers = known.clone(),
                _ => drop(self.0.insert(view.class.clone(), view.handlers.clone())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use inspector_model::View;

    use super::*;

    #[test]
    fn pages_of_one_class_share_their_handlers_until_the_class_changes() {
        let mut handlers = Handlers::default();
        let mut page = |name: &str| {
            let info = HandlerInfo { name: name.to_owned(), ..HandlerInfo::default() };
            let view = View { class: "shop.CartView".to_owned(), handlers: [info].into(), ..View::default() };
            let mut session: Session = serde_json::from_str(r#"{"session":"s"}"#).unwrap();
            session.view = Some(view);
            handlers.share(&mut session);
            session.view.unwrap().handlers
        };
        let (first, second, changed) = (page("add"), page("add"), page("remove"));
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(changed[0].name, "remove");
    }
}
