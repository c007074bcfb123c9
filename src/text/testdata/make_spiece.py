"""Writes t5.spiece.model, bpe.spiece.model and their golden ids (sentencepiece 0.2.3, transformers 5.23, tokenizers 0.23.3):
python make_spiece.py, in this folder. The strings are those of the other golden ids here."""

import io
import json

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as spm_pb
from tokenizers import AddedToken
from transformers import T5Tokenizer

strings = [case["text"] for case in json.load(open("unigram-t5.ids.json"))["cases"]]
sentences = [
    "The film was a delight from the first scene to the last.",
    "A dull, overlong and predictable story that nobody needed.",
    "Der Film war gut, aber die Musik nicht.",
    "Le chat noir dort sur la chaise près de la fenêtre.",
    "Question: who wrote it? Answer: nobody knows, 42 or 1,000 people.",
]


def train(kind, vocab, **more):
    out = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences * 20 + strings), model_writer=out, model_type=kind, vocab_size=vocab,
        num_threads=1, minloglevel=2, hard_vocab_limit=False, **more)
    return out.getvalue()


t5 = train("unigram", 400, normalization_rule_name="nmt_nfkc", pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
           user_defined_symbols=["<tag>"])
with open("t5.spiece.model", "wb") as file:
    file.write(t5)
strings += ["The <extra_id_0> walks in <extra_id_1> park</s>", "a <extra_id_99>", "a <tag> b<tag>c", "<pad> <unk>"]
proto = spm_pb.ModelProto()
proto.ParseFromString(t5)
pieces = [(piece.piece, piece.score) for piece in proto.pieces] + [(f"<extra_id_{i}>", 0.0) for i in range(99, -1, -1)]
tokenizer = T5Tokenizer(vocab=pieces, _spm_precompiled_charsmap=proto.normalizer_spec.precompiled_charsmap)
tokenizer.add_tokens([AddedToken("<tag>", normalized=False)])  # as the converter does with user-defined pieces
rust = tokenizer.backend_tokenizer
sp = spm.SentencePieceProcessor(model_proto=t5)
cases = [
    {"text": s, "ids": rust.encode(s, add_special_tokens=False).ids, "ids_with_special": rust.encode(s).ids,
     "decoded": rust.decode(rust.encode(s, add_special_tokens=False).ids, skip_special_tokens=False)}
    for s in strings
]
print("sentencepiece differs on", [c["text"] for c in cases if sp.encode(c["text"]) != c["ids"]])
with open("t5.spiece.ids.json", "w") as file:
    json.dump({"size": len(tokenizer), "cases": cases}, file, ensure_ascii=False)

bpe = train("bpe", 600, byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
            unk_id=0, bos_id=1, eos_id=2, character_coverage=0.999)
with open("bpe.spiece.model", "wb") as file:
    file.write(bpe)
sp = spm.SentencePieceProcessor(model_proto=bpe)
plain = [s for s in strings if "<" not in s and s.strip() == s]
with open("bpe.spiece.ids.json", "w") as file:
    json.dump({"size": sp.vocab_size(), "cases": [{"text": s, "ids": sp.encode(s)} for s in plain]}, file, ensure_ascii=False)
