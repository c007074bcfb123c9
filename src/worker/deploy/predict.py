# pip install onnxruntime tokenizers numpy, then: python predict.py "your text" ["your second text"]
import json, os, sys
import numpy as np, onnxruntime
from tokenizers import Tokenizer

os.chdir(os.path.dirname(os.path.abspath(__file__)))
task, prompt = json.load(open("task.json", encoding="utf-8")), np.load("prompt.npy")
fields = dict(zip(("text", "text2"), (*sys.argv[1:], "")))
text = "".join(part if isinstance(part, str) else fields[part["field"]].strip() for part in task["template"])
ids = Tokenizer.from_file("tokenizer.json").encode(text).ids
if len(ids) > task["maxTokens"]:  # a text that is cut keeps its end token
    ids = ids[: task["maxTokens"] - 1] + [task["eosId"]] if ids[-1] == task["eosId"] else ids[: task["maxTokens"]]
session, scores = onnxruntime.InferenceSession("model.onnx"), {}
for label in task["labels"]:  # log p(answer | prompt, text)
    row, y = (ids if task["decoder"] else ids + label["ids"]), label["ids"]
    feeds = {"prompt": prompt, "input_ids": np.array([row]), "attention_mask": np.ones((1, len(row)), np.int64)}
    if task["decoder"]:
        feeds["decoder_input_ids"] = np.array([[task["decoder"]["start"], *y[:-1]]])
    logits = session.run(["logits"], feeds)[0][0][(0 if task["decoder"] else len(ids) - 1) :][: len(y)].astype(np.float64)
    scores[label["label"]] = float(sum(z[t] - np.logaddexp.reduce(z) for z, t in zip(logits, y)))
print(json.dumps({"label": max(scores, key=scores.get), "logLikelihoods": scores}, ensure_ascii=False))
