//! The messages between a client and a PostgreSQL server, as far as a proxy has to tell them apart.
//!
//! Not supported: TLS, `COPY`.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The first messages of a client have no tag; they have one of these numbers instead.
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// `None` before the session has begun.
    pub(crate) tag: Option<u8>,
    /// With tag and length.
    pub(crate) bytes: Vec<u8>,
}

/// Reads a message with a tag.
///
/// # Errors
///
/// If the connection ends or fails.
pub(crate) async fn tagged(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Message> {
    let tag = reader.read_u8().await?;
    let mut bytes = vec![tag];
    bytes.extend(with_length(reader).await?);
    Ok(Message { tag: Some(tag), bytes })
}

/// Reads one of the first messages of a client. Returns as well what the server answers with: one byte, or messages.
///
/// # Errors
///
/// If the connection ends or fails.
pub(crate) async fn untagged(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<(Message, FirstAnswer)> {
    let bytes = with_length(reader).await?;
    let number = bytes.get(4..8).map(|number| u32::from_be_bytes([number[0], number[1], number[2], number[3]]));
    let answer = match number {
        Some(SSL_REQUEST | GSS_REQUEST) => FirstAnswer::Byte,
        _ => FirstAnswer::Messages,
    };
    Ok((Message { tag: None, bytes }, answer))
}

/// How a server answers one of the first messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstAnswer {
    Byte,
    Messages,
}

/// Reads a length, which counts itself, and what it is the length of.
async fn with_length(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = reader.read_u32().await?;
    let more = length.checked_sub(4).ok_or(io::ErrorKind::InvalidData)?;
    let mut bytes = length.to_be_bytes().to_vec();
    reader.take(more.into()).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 == u64::from(length) { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_are_told_apart_by_their_lengths() {
        let mut bytes = &b"Q\0\0\0\x06a\0S\0\0\0\x04B\0\0\0\x09half"[..];
        for (tag, length) in [(b'Q', 7), (b'S', 5)] {
            let message = tagged(&mut bytes).await.unwrap();
            assert_eq!((message.tag, message.bytes.len()), (Some(tag), length));
        }
        assert_eq!(tagged(&mut bytes).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_request_for_tls_is_answered_with_a_byte() {
        let mut bytes = &b"\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x09\0\x03\0\0\0"[..];
        assert_eq!(untagged(&mut bytes).await.unwrap().1, FirstAnswer::Byte);
        let (message, answer) = untagged(&mut bytes).await.unwrap();
        assert_eq!((message.tag, message.bytes.len(), answer), (None, 9, FirstAnswer::Messages));
    }
}
