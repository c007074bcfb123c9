"""Writes the PyTorch checkpoints of pytorch.test.ts (torch 2.15): python make_pytorch.py, in this folder."""

import io
import json
import os
import zipfile
from collections import OrderedDict

import torch

torch.manual_seed(0)


def save(value, name):
    torch.save(value, name)


shared = torch.arange(24, dtype=torch.float32)
state = OrderedDict(
    f32=torch.randn(3, 5),
    f16=torch.randn(4, 2).half(),
    bf16=torch.randn(7).bfloat16(),
    f64=torch.randn(2, 2).double(),
    i64=torch.tensor([1, -2, 3]),
    bool=torch.tensor([True, False]),
    f8=torch.tensor([1.0, -0.5, 448.0]).to(torch.float8_e4m3fn),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 4),
    tail=shared[20:],
    middle=shared[4:16].reshape(3, 4),
    transposed=shared[:6].reshape(2, 3).t(),
    permuted=torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
    every_other=shared[1:9:2],
    parameter=torch.nn.Parameter(torch.randn(2, 3)),
)
state._metadata = OrderedDict({"": {"version": 1}})
save(state, "state.bin")
values = {name: tensor.detach().double().flatten().tolist() for name, tensor in state.items()}
shapes = {name: list(tensor.shape) for name, tensor in state.items()}
with open("state.json", "w") as file:
    json.dump({"shapes": shapes, "values": values}, file)

save({"epoch": 3, "lr": 0.1, "note": "ö", "state_dict": {"w": torch.ones(2)}}, "training.bin")
first, second = dict(list(state.items())[:6]), dict(list(state.items())[6:])
save(first, "pytorch_model-00001-of-00002.bin")
save(second, "pytorch_model-00002-of-00002.bin")
index = {name: f"pytorch_model-0000{1 if name in first else 2}-of-00002.bin" for name in state}
with open("pytorch_model.bin.index.json", "w") as file:
    json.dump({"metadata": {}, "weight_map": index}, file)
old = {name: tensor for name, tensor in state.items() if name != "f8"}  # the old form knows no such storage
torch.save(OrderedDict(old), "legacy.bin", _use_new_zipfile_serialization=False)
save(torch.nn.Linear(2, 2), "module.bin")


class Evil:
    def __reduce__(self):
        return os.system, ("echo executed",)


save({"w": Evil()}, "system.bin")


# Sizes as only archives of 4 GiB need them.
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
    with zipfile.ZipFile("state.bin") as state_archive:
        for info in state_archive.infolist():
            with archive.open(zipfile.ZipInfo(info.filename), "w", force_zip64=True) as file:
                file.write(state_archive.read(info.filename))
with open("zip64_local.bin", "wb") as file:
    file.write(buffer.getvalue())
