//! Messages as the reference writes them, byte for byte in both directions; nonsense; and any message there and back.
