# SPDX-License-Identifier: GPL-2.0
"""What an exploit reads from its copy of the program: symbols, and bytes in
executable memory. Little-endian ELF64 only; a thing not found is an error."""

import struct

PT_LOAD, PF_X, SHT_SYMTAB = 1, 1, 2


class ElfError(Exception):
    pass


class Elf:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            self.data = f.read()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ElfError(f"{path}: not a little-endian ELF64 file")
        self.segments = self._segments()
        self.symbols = self._symbols()

    def _segments(self):
        offset, = struct.unpack_from("<Q", self.data, 0x20)
        size, count = struct.unpack_from("<HH", self.data, 0x36)
        found = []
        for i in range(count):
            kind, flags, start, vaddr, _, length = struct.unpack_from(
                "<IIQQQQ", self.data, offset + i * size)
            if kind == PT_LOAD:
                found.append((flags, start, vaddr, length))
        return found

    def _symbols(self):
        offset, = struct.unpack_from("<Q", self.data, 0x28)
        size, count = struct.unpack_from("<HH", self.data, 0x3A)
        sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, offset + i * size)
                    for i in range(count)]
        symbols = {}
        for section in sections:
            if section[1] != SHT_SYMTAB:
                continue
            strings = sections[section[6]][4]
            for at in range(section[4], section[4] + section[5], 24):
                name, _, _, index, value, _ = struct.unpack_from(
                    "<IBBHQQ", self.data, at)
                if index and value:
                    end = self.data.index(b"\0", strings + name)
                    symbols[self.data[strings + name:end].decode()] = value
        if not symbols:
            raise ElfError(f"{self.path}: no symbol table; build it unstripped")
        return symbols

    def symbol(self, name):
        if name not in self.symbols:
            raise ElfError(f"{self.path}: no symbol {name}")
        return self.symbols[name]

    def find(self, *patterns, executable=True):
        """Address of the first of the patterns that the loaded file has."""
        for pattern in patterns:
            for flags, start, vaddr, length in self.segments:
                if executable and not flags & PF_X:
                    continue
                at = self.data.find(pattern, start, start + length)
                if at >= 0:
                    return vaddr + at - start
        names = ", ".join(p.hex(" ") for p in patterns)
        raise ElfError(f"{self.path}: none of the byte sequences {names} found")

    def gadget(self, register):
        """(address, words to skip) of a gadget that pops register and returns."""
        pop = {"rdi": b"\x5f", "rsi": b"\x5e", "rdx": b"\x5a"}[register]
        for skip, tail in enumerate((b"\xc3", b"\x5b\xc3", b"\x5b\x5d\xc3")):
            try:
                return self.find(pop + tail), skip
            except ElfError:
                continue
        raise ElfError(f"{self.path}: no gadget pops {register}")
