#!/usr/bin/env python3
"""Reads every vector in this folder and says what it is, without the library: a second implementation of its rules.

Usage: python3 check.py            checks the folder, exits 1 on the first disagreement
       python3 check.py VALUE      prints the class of one value
"""
import datetime, hashlib, json, pathlib, re, sys, zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FOLDER = pathlib.Path(__file__).parent


def checksum(text: bytes) -> bytes:
    rest, digits = zlib.crc32(text), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = ALPHABET[digit] + digits
    return digits.encode()


def time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def classify(value: bytes, state: dict) -> str:
    if not re.fullmatch(rb"pat_[0-9A-Za-z]{12}-[0-9A-Za-z]{38}", value):
        return "format"
    if checksum(value[:49]) != value[49:]:
        return "checksum"
    token = state["tokens"].get(value[4:16].decode())
    if token is None:
        return "unknown"
    if hashlib.sha256(value).hexdigest() != token["sha256"]:
        return "wrong-secret"
    if "revokedAt" in token:
        return "revoked"
    if "expiresAt" in token and time(state["now"]) >= time(token["expiresAt"]):
        return "expired"
    return "valid"


def main() -> None:
    state = json.loads((FOLDER / "state.json").read_text())
    if len(sys.argv) == 2:
        sys.exit(print(classify(sys.argv[1].encode(), state)))
    vectors = sorted(FOLDER.glob("*.vector"))
    for path in vectors:
        header, value = path.read_bytes().split(b"\n\n", 1)
        expect = re.match(rb"expect: ([a-z-]+)\n", header).group(1).decode()
        found = classify(value, state)
        if found != expect:
            sys.exit(f"{path.name}: expected {expect}, found {found}")
    print(f"{len(vectors)} vectors agree")


if __name__ == "__main__":
    main()
