//! Addresses of TCP, as JavaScript sees them.

use std::net::SocketAddr;

use napi_derive::napi;

/// One end of a connection over TCP.
#[napi(object)]
pub struct SocketAddress {
    /// In digits.
    pub address: String,
    /// As Node names it.
    #[napi(ts_type = "'IPv4' | 'IPv6'")]
    pub family: String,
    /// Its port.
    pub port: u16,
}

impl From<SocketAddr> for SocketAddress {
    fn from(address: SocketAddr) -> Self {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        Self { address: address.ip().to_string(), family: family.to_owned(), port: address.port() }
    }
}
