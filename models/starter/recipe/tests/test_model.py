"""The packed training forward and the cached answering see the same thing. Two random layers, f32."""

import unittest
from unittest import mock

try:
    import torch

    from recipe import model
    from recipe.train import answer_weights
except ImportError:
    torch = None


@unittest.skipIf(torch is None, "torch is not installed")
class Branches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(1)
        with mock.patch.object(model, "LAYERS", 2):
            cls.net = model.SmolLM()
        for p in cls.net.parameters():
            if p.dim() == 2:
                torch.nn.init.normal_(p, std=0.05)
        cls.prefix = [1, 50, 60, 70, 80, 90]
        cls.questions = [[100, 101, 102], [200, 201, 202, 203, 204]]

    def run_packed(self, branches):
        ids, positions, branch = list(self.prefix), list(range(len(self.prefix))), [0] * len(self.prefix)
        for i, tokens in enumerate(branches, 1):
            ids += tokens
            positions += range(len(self.prefix), len(self.prefix) + len(tokens))
            branch += [i] * len(tokens)
        mask = model.branch_mask(torch.tensor(branch), torch.float32)
        with torch.no_grad():
            hidden, _ = self.net(torch.tensor(ids), torch.tensor(positions), [len(ids)], [mask])
        return hidden

    def test_branches_do_not_see_each_other(self):
        both, second = self.run_packed(self.questions), self.run_packed(self.questions[1:])
        torch.testing.assert_close(both[-5:], second[-5:], atol=1e-5, rtol=1e-5)

    def test_packed_documents_do_not_see_each_other(self):
        alone = self.run_packed(self.questions[:1])
        n = len(self.prefix) + 3
        mask = model.branch_mask(torch.tensor([0] * 6 + [1] * 3), torch.float32)
        ids = self.prefix + self.questions[0]
        with torch.no_grad():
            twice, _ = self.net(torch.tensor(ids + ids), torch.arange(n).repeat(2), [n, n], [mask, mask])
        torch.testing.assert_close(twice[n:], alone, atol=1e-5, rtol=1e-5)

    def test_cached_answers_equal_answers_without_a_cache(self):
        cached = model.answer(self.net, self.prefix, self.questions, max_new=6)
        for question, given in zip(self.questions, cached):
            tokens, plain = list(question), []
            for _ in range(6):
                token = int(self.net.logits(self.run_packed([tokens])[-1]).argmax())
                if token in (0, model.END):
                    break
                plain.append(token)
                tokens.append(token)
            self.assertEqual(given, plain)
            self.assertTrue(plain)

    def test_weights_favour_short_answers(self):
        self.assertEqual(answer_weights([-100, 5, -100, 5, 6, 7, 8]), [1.0, 0.5, 0.5, 0.5, 0.5])


if __name__ == "__main__":
    unittest.main()
