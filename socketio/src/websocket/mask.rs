//! The masking of client frames. Spec: RFC 6455, section 5.3.

/// Masks or unmasks in place. `at`: how many bytes of the same frame came before.
pub(super) fn unmask(payload: &mut [u8], mask: [u8; 4], at: u64) {
    let mut key = mask;
    key.rotate_left((at % 4) as usize);
    // Eight bytes at a time: the compiler makes vector instructions of it, without regard to alignment.
    let wide = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}
