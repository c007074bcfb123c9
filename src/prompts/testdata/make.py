"""Writes npy/ and zip/ with numpy and Python's zipfile: files that Prelude must read or refuse, by other hands than ours."""
import io, zipfile
import numpy as np
from numpy.lib import format as npf

a = (np.arange(6).reshape(2, 3) / 4 - 0.5).astype("<f4")
for name, x in {
    "f4": a, "f8": a.astype("<f8"), "f2": a.astype("<f2"), "big": a.astype(">f4"), "fortran": np.asfortranarray(a),
    "one": np.ones((1, 1), "<f4"), "tall": np.zeros((1000, 1), "<f4"),
    "rank1": a[0], "rank3": a[None], "int": np.ones((2, 3), "<i4"), "record": np.zeros((2, 3), [("x", "<f4")]),
    "object": np.array([["a", 1]], object), "nan": np.where(a == 0, np.nan, a).astype("<f4"), "huge8": np.full((2, 3), 1e300),
}.items():
    np.save(f"npy/{name}.npy", x)
for version in (2, 3):
    with open(f"npy/v{version}.npy", "wb") as f:
        npf.write_array(f, a, (version, 0))

def pack(name, files, **kw):
    with zipfile.ZipFile(f"zip/{name}.zip", "w", **kw) as z:
        for path, data in files:
            z.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), data, kw.get("compression", 0))

folder = [(n, open(f"t5-v1.1-prompt/{n}", "rb").read()) for n in ("adapter_config.json", "adapter_model.safetensors")]
pack("stored", folder)
pack("nested", [("film/" + n, d) for n, d in folder] + [("film/checkpoint-5/" + n, d) for n, d in folder]
     + [("__MACOSX/film/._adapter_config.json", b"x")], compression=zipfile.ZIP_DEFLATED)
pack("two", [(f"{x}/{n}", d) for x in "ab" for n, d in folder])
pack("traversal", [("../" + n, d) for n, d in folder] + [("/etc/" + folder[1][0], folder[1][1]), ("a\\..\\" + folder[1][0], folder[1][1])])
pack("lzma", folder, compression=zipfile.ZIP_LZMA)
pack("bomb", [folder[0], (folder[1][0], b"\0" * (65 * 1024 * 1024))], compression=zipfile.ZIP_DEFLATED)
