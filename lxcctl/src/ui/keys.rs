//! Keys as a terminal hands them out that does not handle them itself. Owns what they do to a line; must not show
//! them.

use std::io;

/// Keys of a terminal that does not handle them itself, up to Enter.
pub(super) fn hidden_line(keys: impl io::BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    for key in keys.bytes() {
        match key? {
            b'\n' | b'\r' => return String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData.into()),
            // Ctrl-C, Ctrl-\, and Ctrl-D on an empty line.
            3 | 28 => return Err(io::ErrorKind::Interrupted.into()),
            4 if line.is_empty() => break,
            8 | 127 => {
                line.pop();
            }
            // Ctrl-U: begin again.
            21 => line.clear(),
            other => line.push(other),
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_line_can_be_mended_and_left() {
        let line = |keys: &[u8]| hidden_line(keys);
        assert_eq!(line(b"sex\x7fcret\n").unwrap(), "secret");
        assert_eq!(line(b"wrong\x15right\r").unwrap(), "right");
        assert_eq!(line(b"half\x03").unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert_eq!(line(b"\x04").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(line(b"no end").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
