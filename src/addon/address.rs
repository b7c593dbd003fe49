//! TCP addresses as JavaScript objects.

use std::net::SocketAddr;

use napi_derive::napi;

/// A TCP address.
#[napi(object)]
pub struct SocketAddress {
    /// The IP address in its usual notation.
    pub address: String,
    /// The family, by Node's name.
    #[napi(ts_type = "'IPv4' | 'IPv6'")]
    pub family: String,
    /// The port.
    pub port: u16,
}

impl From<SocketAddr> for SocketAddress {
    fn from(address: SocketAddr) -> Self {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        Self { address: address.ip().to_string(), family: family.to_owned(), port: address.port() }
    }
}
