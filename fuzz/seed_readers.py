#!/usr/bin/env python3
"""Writes the seed corpora of the binary and sparse readers: fuzz/corpus/idx, npy, npz, libsvm.

The seeds are committed; this says what each of them is and makes them again.
"""
import gzip
import io
import os
import struct
import zipfile

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def save(target, name, content):
    os.makedirs(os.path.join(CORPUS, target), exist_ok=True)
    with open(os.path.join(CORPUS, target, name), "wb") as file:
        file.write(content)


def idx(kind, shape, values):
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + values


def npy(descr, shape, values, fortran=False, version=1):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + values


def npz(method, **arrays):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy"), array, method)
    return buffer.getvalue()


def pair(labels, images):
    return bytes([len(labels)]) + labels + images


def main():
    labels, images = idx(8, [4], bytes([0, 1, 2, 0])), idx(8, [4, 2, 3], bytes(range(24)))
    save("idx", "images", pair(labels, images))
    save("idx", "packed", pair(gzip.compress(labels, mtime=0), gzip.compress(images, mtime=0)))
    save("idx", "int16", pair(idx(9, [2], b"\1\xff"), idx(11, [2, 2], struct.pack(">4h", 1, -2, 300, 4))))
    save("idx", "float", pair(labels, idx(13, [4, 1], struct.pack(">4f", 1, -2.5, 3e30, 4))))
    save("idx", "double", pair(labels, idx(14, [4, 1, 1, 1], struct.pack(">4d", 1, -2.5, 3e-30, 4))))
    save("npy", "bytes", npy("|u1", "(3, 2)", bytes([1, 0, 2, 1, 3, 0])))
    save("npy", "int16", npy(">i2", "(2, 3)", struct.pack(">6h", 1, -2, 3, 400, 5, 6), version=2))
    save("npy", "half", npy("<f2", "(2, 2, 2)", struct.pack("<8e", 1, .5, -2, 3, 4, 5, 6, 7), True, 3))
    save("npy", "double", npy("<f8", "(2, 2)", struct.pack("<4d", 1, .5, float("nan"), 3), True))
    save("npy", "packed", gzip.compress(npy("|b1", "(4, 2)", bytes([0, 1] * 4)), mtime=0))
    x, y = npy("<f4", "(3, 2)", struct.pack("<6f", *range(6))), npy("<i8", "(3,)", struct.pack("<3q", 0, 1, 0))
    save("npz", "stored", npz(zipfile.ZIP_STORED, X=x, y=y))
    save("npz", "deflated", npz(zipfile.ZIP_DEFLATED, data=x, target=y))
    save("npz", "parts", npz(zipfile.ZIP_DEFLATED, x_train=x, y_train=y, x_test=x, y_test=y))
    save("npz", "one", npz(zipfile.ZIP_STORED, arr_0=x))
    save("libsvm", "rows", b"# comment\n+1 1:0.5 3:7 # first\r\n\n-1 qid:4 3:1e2 2:-1e-3\n1\n-1 3:255 1:nan")
    save("libsvm", "zero", b"0.5 0:1 4:2\n1.25 2:3\n")
    save("libsvm", "packed", gzip.compress(b"1 1:1\n0 2:1\n", mtime=0))


if __name__ == "__main__":
    main()
