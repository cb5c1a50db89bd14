// A decoder of msgpack that takes nothing but what both of Node's writers produce, and says what is wrong with the rest.

const text = new TextDecoder("utf-8", { fatal: true });

/** The value, or an error: for a float of 32 bits, a foreign extension, bytes that are left, anything cut off. */
export function decodeStrictly(buffer) {
  const reader = new Reader(buffer);
  const value = reader.value();
  if (reader.at !== buffer.length) throw new Error(`msgpack: ${buffer.length - reader.at} bytes are left`);
  return value;
}

class Reader {
  constructor(buffer) {
    this.buffer = buffer;
    this.at = 0;
  }

  take(length) {
    if (this.at + length > this.buffer.length) throw new Error("msgpack: cut off");
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  length(bytes) {
    return this.take(bytes).readUIntBE(0, bytes);
  }

  array(length) {
    return Array.from({ length }, () => this.value());
  }

  map(length) {
    const entries = [];
    const keys = new Set();
    for (let at = 0; at < length; at++) {
      const key = this.value();
      if (typeof key !== "string") throw new Error(`msgpack: a key that is ${typeof key}`);
      if (keys.has(key)) throw new Error(`msgpack: the key ${key} twice`);
      keys.add(key);
      entries.push([key, this.value()]);
    }
    return Object.fromEntries(entries);
  }

  text(length) {
    return text.decode(this.take(length));
  }

  date(length) {
    const type = this.take(1).readInt8();
    if (type !== -1) throw new Error(`msgpack: extension ${type}`);
    return { date: this.take(length).toString("hex") };
  }

  value() {
    const head = this.take(1)[0];
    if (head < 0x80) return head;
    if (head < 0x90) return this.map(head & 15);
    if (head < 0xa0) return this.array(head & 15);
    if (head < 0xc0) return this.text(head & 31);
    if (head >= 0xe0) return head - 256;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return head === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return Buffer.from(this.take(this.length(1 << (head - 0xc4))));
      case 0xc7:
        return this.date(this.length(1));
      case 0xcb:
        return this.take(8).readDoubleBE();
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.length(1 << (head - 0xcc));
      case 0xcf:
        return Number(this.take(8).readBigUInt64BE());
      case 0xd0:
        return this.take(1).readInt8();
      case 0xd1:
        return this.take(2).readInt16BE();
      case 0xd2:
        return this.take(4).readInt32BE();
      case 0xd3:
        return Number(this.take(8).readBigInt64BE());
      case 0xd6:
      case 0xd7:
        return this.date(head === 0xd6 ? 4 : 8);
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.text(this.length(1 << (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.array(this.length(head === 0xdc ? 2 : 4));
      case 0xde:
      case 0xdf:
        return this.map(this.length(head === 0xde ? 2 : 4));
      default:
        throw new Error(`msgpack: ${head.toString(16)} is not what Node writes`);
    }
  }
}
