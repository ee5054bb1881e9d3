"""Fine-tunes SmolLM2 on synthetic questions about text lines. CPU, bf16 with fp32 master weights, resumable.

    python -m recipe.train --base work/base --out work/run --minutes 150
    python -m recipe.train --base work/base --out work/run --minutes 600 --resume     # go on, new schedule
"""

import argparse
import json
import math
import os
import pathlib
import random
import signal
import time

# Threads that wait must not burn the CPU: on a shared machine that costs a factor of three.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

from . import generate, model  # noqa: E402
from .prompt import Prompt  # noqa: E402


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--base", type=pathlib.Path, required=True, help="folder that base_model.py wrote")
    p.add_argument("--out", type=pathlib.Path, required=True, help="checkpoints and the log")
    p.add_argument("--minutes", type=float, help="wall time; the learning rate reaches its end then")
    p.add_argument("--until", help="the same as a time of day, HH:MM UTC")
    p.add_argument("--resume", action="store_true", help="go on from OUT/state.pt")
    p.add_argument("--lr", type=float, default=2e-4)
    p.add_argument("--final-lr", type=float, default=0.03, help="share of --lr at the end")
    p.add_argument("--hold", type=float, default=0.0, help="share of the time at full rate before the cosine starts")
    p.add_argument("--warm-up", type=int, default=20, help="steps")
    p.add_argument("--tokens", type=int, default=600, help="tokens in a step")
    p.add_argument("--longest", type=int, default=800, help="longer documents are skipped")
    p.add_argument("--from-layer", type=int, default=8, help="layers before it and the embeddings stay as they are")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--save-minutes", type=float, default=8)
    p.add_argument("--seed", type=int, default=1_000_000, help="the first document's seed; the evaluation uses seeds below a million")
    return p.parse_args()


def documents(prompt, seed, longest):
    """Endless (next seed, packed document)."""
    while True:
        s = generate.sample(seed)
        seed += 1
        if s.questions:
            packed = prompt.pack(s.lines, [(q.text, q.answer) for q in s.questions])
            if len(packed.ids) <= longest:
                yield seed, packed


def batches(stream, tokens):
    """Documents packed one after the other until a step is full."""
    batch, size = [], 0
    for seed, packed in stream:
        batch.append(packed)
        size += len(packed.ids)
        if size >= tokens:
            yield seed, batch
            batch, size = [], 0


def answer_weights(labels):
    """1/√length for each token of an answer: choosing the right line counts, not only copying long answers."""
    weights, length = [], 0
    for label in [*labels, -100]:
        if label != -100:
            length += 1
        elif length:
            weights += [length**-0.5] * length
            length = 0
    return weights


class Trainer:
    def __init__(self, args):
        self.args = args
        self.model = model.load(args.base / "model.safetensors")
        for p in self.model.parameters():
            p.requires_grad_(False)
        self.trained = [p for layer in self.model.model.layers[args.from_layer :] for p in layer.parameters()] + [self.model.model.norm.weight]
        for p in self.trained:
            p.requires_grad_(True)
        self.master = [p.detach().float().clone() for p in self.trained]
        self.optimizer = torch.optim.AdamW(self.master, lr=args.lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
        self.step, self.questions, self.seed = 0, 0, args.seed
        if args.resume:
            self.load()

    def load(self):
        state = torch.load(self.args.out / "state.pt", weights_only=True, mmap=True)
        for m, p, saved in zip(self.master, self.trained, state["master"], strict=True):
            m.copy_(saved)
            p.data.copy_(saved)
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.questions, self.seed = state["step"], state["questions"], state["seed"]

    def save(self, name="last"):
        """The state to go on from, and the weights; both replace the older file only when complete."""
        out = self.args.out
        state = {"master": self.master, "optimizer": self.optimizer.state_dict(), "step": self.step, "questions": self.questions, "seed": self.seed}
        torch.save(state, out / "state.pt.part")
        os.replace(out / "state.pt.part", out / "state.pt")
        save_weights(self.model, out / f"{name}.safetensors")

    def learn(self, batch, rate):
        """One step. Returns (loss, gradient norm)."""
        dtype = torch.bfloat16
        ids = torch.tensor([t for d in batch for t in d.ids])
        positions = torch.tensor([t for d in batch for t in d.positions])
        labels = torch.tensor([t for d in batch for t in d.labels])
        lengths = [len(d.ids) for d in batch]
        masks = [model.branch_mask(torch.tensor(d.branch), dtype) for d in batch]
        hidden, _ = self.model(ids, positions, lengths, masks)
        asked = labels != -100
        losses = F.cross_entropy(self.model.logits(hidden[asked]).float(), labels[asked], reduction="none")
        weights = torch.tensor([x for d in batch for x in answer_weights(d.labels)])
        loss = (losses * weights).sum() / weights.sum()
        loss.backward()
        with torch.no_grad():
            for p, m in zip(self.trained, self.master):
                m.grad = p.grad.float()
                p.grad = None
            norm = torch.nn.utils.clip_grad_norm_(self.master, 1.0)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.step()
            for p, m in zip(self.trained, self.master):
                p.data.copy_(m)
        return loss.item(), norm.item()


def save_weights(net, path):
    from safetensors.torch import save_file

    part = path.with_suffix(".part")
    save_file({k: v.detach().contiguous() for k, v in net.state_dict().items()}, part, metadata={"format": "pt"})
    os.replace(part, path)


def seconds_to_run(args):
    if args.until:
        hour, minute = map(int, args.until.split(":"))
        now = time.gmtime()
        return ((hour - now.tm_hour) * 3600 + (minute - now.tm_min) * 60 - now.tm_sec) % 86400
    return 60 * (args.minutes or 150)


def main():
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    random.seed(0)
    torch.manual_seed(0)
    prompt = Prompt(args.base / "tokenizer.json")
    trainer = Trainer(args)
    stop = []
    for wish in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wish, lambda *_: stop.append(True))  # finish the step, save, leave
    begin, length = time.time(), seconds_to_run(args)
    saved, steps, tokens, questions, losses = time.time(), 0, 0, 0, []
    with open(args.out / "log.jsonl", "a") as log:
        for trainer.seed, batch in batches(documents(prompt, trainer.seed, args.longest), args.tokens):
            done = (time.time() - begin) / length
            if done >= 1 or stop:
                break
            fall = max(0.0, done - args.hold) / (1 - args.hold)
            rate = args.lr * min(1, (steps + 1) / args.warm_up) * max(args.final_lr, 0.5 * (1 + math.cos(math.pi * fall)))
            loss, norm = trainer.learn(batch, rate)
            trainer.step += 1
            trainer.questions += sum(d.questions for d in batch)
            steps += 1
            tokens += sum(len(d.ids) for d in batch)
            questions += sum(d.questions for d in batch)
            losses.append(loss)
            if steps % 10 == 0:
                seconds = time.time() - begin
                line = {"step": trainer.step, "questions": trainer.questions, "loss": round(sum(losses[-10:]) / 10, 4), "norm": round(norm, 2), "lr": rate,
                        "minutes": round(seconds / 60, 1), "tokens_per_s": round(tokens / seconds, 1), "questions_per_s": round(questions / seconds, 2), "cpu_s": round(time.process_time())}  # fmt: skip
                print(json.dumps(line), flush=True)
                log.write(json.dumps(line) + "\n")
                log.flush()
            if time.time() - saved > 60 * args.save_minutes:
                trainer.save()
                saved = time.time()
    trainer.save()


if __name__ == "__main__":
    main()
