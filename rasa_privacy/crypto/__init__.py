"""Bytes and keys only: segments, key files, wrapping, blind index, hash chain. See docs/spec/."""
