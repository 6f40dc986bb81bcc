//! The network rights of a session: hosts by name or address, with or without a port.

use hyperlight_unikraft::{Destination, Filter, NetworkFilter, NetworkPolicy};
use mote_core::error::{Code, Error, Result};
use std::net::IpAddr;

#[derive(Debug, PartialEq, Eq)]
enum Host {
    Name(String),
    /// Everything below a name, not the name itself.
    Below(String),
    Address(IpAddr),
}

#[derive(Debug, PartialEq, Eq)]
struct Right {
    host: Host,
    /// `None`: any.
    port: Option<u16>,
}

struct Rights(Vec<Right>);

/// Metadata addresses of clouds, link-local ones and the host's own are refused whatever `allowed` says.
pub fn policy(allowed: &[String]) -> Result<Option<NetworkPolicy>> {
    if allowed.is_empty() {
        return Ok(None);
    }
    let rights = allowed.iter().map(|text| right(text)).collect::<Result<_>>()?;
    Ok(Some(NetworkPolicy::Filter(Filter::new(Rights(rights)))))
}

fn right(text: &str) -> Result<Right> {
    let invalid = || {
        let message = format!(
            "Cannot open session: rights.net has {text:?}, which is no host. Write \"example.com\", \"*.example.com\", \
             \"example.com:443\", \"192.0.2.1:80\" or \"[2001:db8::1]:80\""
        );
        Error::new(Code::InvalidOption, message)
    };
    let (host, port) = match text.parse::<IpAddr>() {
        Ok(address) => return Ok(Right { host: Host::Address(address), port: None }),
        Err(_) => match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port != 0).ok_or_else(invalid)?)),
            None => (text, None),
        },
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = match (bare.parse::<IpAddr>(), host.strip_prefix("*.")) {
        (Ok(address), _) => Host::Address(address),
        (Err(_), Some(above)) if is_name(above) => Host::Below(above.to_ascii_lowercase()),
        (Err(_), None) if is_name(host) => Host::Name(host.to_ascii_lowercase()),
        _ => return Err(invalid()),
    };
    Ok(Right { host, port })
}

fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    text.len() <= 253 && text.split('.').all(label)
}

impl Host {
    fn is(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Below(above) => name.strip_suffix(above.as_str()).is_some_and(|rest| rest.ends_with('.')),
            Self::Address(_) => false,
        }
    }
}

impl NetworkFilter for Rights {
    fn allows_name(&self, name: &str) -> bool {
        self.0.iter().any(|right| right.host.is(name))
    }

    fn allows(&self, destination: &Destination<'_>) -> bool {
        self.0.iter().any(|right| {
            let host = match &right.host {
                Host::Address(address) => *address == destination.addr.ip(),
                host => destination.names.iter().any(|name| host.is(name)),
            };
            host && right.port.is_none_or(|port| port == destination.addr.port())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(texts: &[&str]) -> Rights {
        Rights(texts.iter().map(|text| right(text).unwrap()).collect())
    }

    fn allows(rights: &Rights, address: &str, names: &[&str]) -> bool {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        rights.allows(&Destination::new(address.parse().unwrap(), false, &names))
    }

    #[test]
    fn names_hold_for_the_addresses_they_gave() {
        let rights = rights(&["Example.com:443", "*.example.org"]);
        assert!(rights.allows_name("example.com") && rights.allows_name("a.b.example.org"));
        assert!(!rights.allows_name("example.org") && !rights.allows_name("badexample.org"));
        assert!(allows(&rights, "192.0.2.1:443", &["example.com"]));
        assert!(!allows(&rights, "192.0.2.1:80", &["example.com"]));
        assert!(!allows(&rights, "192.0.2.1:443", &[]));
        assert!(allows(&rights, "192.0.2.1:80", &["a.example.org"]));
    }

    #[test]
    fn addresses_stand_for_themselves() {
        let rights = rights(&["192.0.2.7", "[2001:db8::1]:80", "2001:db8::2"]);
        assert!(allows(&rights, "192.0.2.7:9", &[]));
        assert!(allows(&rights, "[2001:db8::1]:80", &[]) && !allows(&rights, "[2001:db8::1]:81", &[]));
        assert!(allows(&rights, "[2001:db8::2]:1", &[]) && !allows(&rights, "192.0.2.8:9", &[]));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "*", "a b", "http://a", "a:0", "a:http", "a:70000", "*.", "a..b", "[::1", "a/b"] {
            assert_eq!(right(text).unwrap_err().code, Code::InvalidOption, "{text}");
        }
        assert!(policy(&[]).unwrap().is_none());
    }
}
