//! What the app has to ask the user, in the order of its urgency. One question is open at a time, in the window itself.

use std::collections::VecDeque;

use inspector_model::DesktopQuestion;

use crate::links::Address;

/// Links that are asked about within [`FLOOD_SECS`]. A page that makes more of them wants to be in the way.
const MOST_LINKS: usize = 3;
/// The time in which links are counted, and for which a flood of them is not asked about, seconds.
const FLOOD_SECS: f64 = 10.0;
/// Tokens that wait to be remembered.
const MOST_TOKENS: usize = 8;

/// A token and its server.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The server.
    pub address: Address,
    /// Its token.
    pub token: String,
}

/// What is to be asked.
#[derive(Debug, Default)]
pub struct Questions {
    closing: bool,
    link: Option<Address>,
    /// When the last links came.
    links: VecDeque<f64>,
    tokens: VecDeque<Offer>,
}

/// What became of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// It is asked about, in place of one before it.
    Asked,
    /// There are too many: this one is not asked about. The user is told so once.
    FirstOfFlood,
    /// The same, and it was told.
    Flood,
}

impl Questions {
    /// The question that is open.
    pub fn open(&self) -> Option<DesktopQuestion> {
        if self.closing {
            return Some(DesktopQuestion::Close);
        }
        let link = self.link.as_ref().map(|address| DesktopQuestion::Attach(address.as_str().to_owned()));
        link.or_else(|| self.tokens.front().map(|offer| DesktopQuestion::Remember(offer.address.as_str().to_owned())))
    }

    /// The window is to be closed.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// Whether that is asked now.
    pub const fn is_closing(&self) -> bool {
        self.closing
    }

    /// The window is closed, or stays.
    pub fn closed(&mut self) {
        self.closing = false;
    }

    /// A link asks to attach. The newest takes the place of the one before it. `now` is in seconds.
    pub fn propose(&mut self, address: Address, now: f64) -> Proposed {
        self.links.retain(|at| (0.0..FLOOD_SECS).contains(&(now - at)));
        if self.links.len() >= MOST_LINKS {
            let first = self.links.len() == MOST_LINKS;
            // Those that go on coming keep the flood up.
            self.links.push_back(now);
            self.links.drain(..self.links.len().saturating_sub(MOST_LINKS + 1));
            return if first { Proposed::FirstOfFlood } else { Proposed::Flood };
        }
        self.links.push_back(now);
        self.link = Some(address);
        Proposed::Asked
    }

    /// A token may be remembered.
    pub fn offer(&mut self, offer: Offer) {
        self.tokens.retain(|other| other.address != offer.address);
        if self.tokens.len() < MOST_TOKENS {
            self.tokens.push_back(offer);
        }
    }

    /// The user has answered about the server at `url`: whether that was still the question.
    pub fn take_link(&mut self, url: &str) -> Option<Address> {
        self.link.take_if(|address| address.as_str() == url)
    }

    /// The same for a token.
    pub fn take_token(&mut self, url: &str) -> Option<Offer> {
        self.tokens.pop_front_if(|offer| offer.address.as_str() == url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Address {
        Address::parse(&format!("http://127.0.0.1:{port}")).unwrap()
    }

    fn attach(port: u16) -> DesktopQuestion {
        DesktopQuestion::Attach(address(port).as_str().to_owned())
    }

    #[test]
    fn one_link_is_asked_about_and_the_newest_replaces_it() {
        let mut questions = Questions::default();
        assert_eq!(questions.propose(address(1), 0.0), Proposed::Asked);
        assert_eq!(questions.propose(address(2), 1.0), Proposed::Asked);
        assert_eq!(questions.open(), Some(attach(2)));
        assert_eq!(questions.take_link(address(1).as_str()), None, "the answer was to the one before");
        assert_eq!(questions.take_link(address(2).as_str()), Some(address(2)));
        assert_eq!(questions.open(), None);
    }

    #[test]
    fn a_flood_of_links_is_not_asked_about_until_it_is_over() {
        let mut questions = Questions::default();
        for port in 1..=3 {
            assert_eq!(questions.propose(address(port), 0.1 * f64::from(port)), Proposed::Asked);
        }
        assert_eq!(questions.propose(address(4), 0.5), Proposed::FirstOfFlood);
        for number in 1..=1_000 {
            assert_eq!(questions.propose(address(5), 0.5 + 0.1 * f64::from(number)), Proposed::Flood);
        }
        assert_eq!(questions.open(), Some(attach(3)));
        assert!(questions.links.len() <= MOST_LINKS + 1);
        assert_eq!(questions.propose(address(6), 200.0), Proposed::Asked);
        assert_eq!(questions.open(), Some(attach(6)));
    }

    #[test]
    fn one_question_is_open_at_a_time() {
        let mut questions = Questions::default();
        questions.offer(Offer { address: address(9), token: "t".into() });
        questions.propose(address(1), 0.0);
        questions.close();
        assert_eq!(questions.open(), Some(DesktopQuestion::Close));
        questions.closed();
        assert_eq!(questions.open(), Some(attach(1)));
        questions.take_link(address(1).as_str()).unwrap();
        assert_eq!(questions.open(), Some(DesktopQuestion::Remember(address(9).as_str().into())));
        assert!(questions.take_token(address(8).as_str()).is_none());
        assert_eq!(questions.take_token(address(9).as_str()).unwrap().token, "t");
        assert_eq!(questions.open(), None);
    }
}
