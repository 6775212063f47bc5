"""Examples that cannot be used: others take their place, each is named once, and too many are refused."""

import numpy as np
import pytest
import tensorflow as tf
from streams import Source, assert_same, settings, taken

from gan_zoo.data.pipeline import evaluation_batches, training_stream
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample


def test_bad_examples_give_way_to_the_next_good_one(tmp_path, capsys):
    source, path = Source(bad={3, 4, 9}), tmp_path / "skipped_files.txt"
    path.write_text("of an earlier run\n")
    skipped = SkippedFiles(path)
    batches = taken(training_stream(source, settings(), skipped=skipped), 15)
    numbers = np.concatenate([batch["number"] for batch in batches]).reshape(6, 10)
    # 3 and 4 give way to 5, 9 to 0: 5 comes three times, 0 twice an epoch.
    np.testing.assert_array_equal(np.sort(numbers), np.tile([0, 0, 1, 2, 5, 5, 5, 6, 7, 8], (6, 1)))
    assert sorted(path.read_text().splitlines()) == [f"{index}.png\ttruncated" for index in (3, 4, 9)]
    error = capsys.readouterr().err
    assert error.count("warning") == 1
    assert str(path) in error
    assert_same(taken(training_stream(source, settings(), start_step=8), 7), batches[8:])


def test_more_bad_than_good_is_refused(tmp_path):
    skipped = SkippedFiles(tmp_path / "skipped_files.txt")
    stream = training_stream(Source(bad=range(2, 8)), settings(), skipped=skipped)
    with pytest.raises(tf.errors.OpError):
        taken(stream, 10)
    assert isinstance(skipped.failure, UserError)
    assert str(skipped.failure).startswith("6 of 10 examples are bad, for instance ")
    assert len((tmp_path / "skipped_files.txt").read_text().splitlines()) == 6
    # Half of them is not more than half.
    assert len(taken(training_stream(Source(bad=range(2, 7)), settings()), 10)) == 10
    with pytest.raises(UserError, match="6 of 10"):
        training_stream(Source(bad=range(6)), settings())


def test_what_the_source_rejected_counts(tmp_path):
    source, path = Source(count=2), tmp_path / "skipped_files.txt"
    source.rejected = [BadExample("a b é.png", "an empty file"), BadExample("c.png", "no partner")]
    training_stream(source, settings(), skipped=SkippedFiles(path))
    assert path.read_text(encoding="utf-8") == "a b é.png\tan empty file\nc.png\tno partner\n"
    path.write_text("c.png\tno partner\nbefore.png\tempty\n", encoding="utf-8")
    training_stream(source, settings(), skipped=SkippedFiles(path, go_on=True))
    assert path.read_text("utf-8") == "c.png\tno partner\nbefore.png\tempty\na b é.png\tan empty file\n"
    source.rejected.append(BadExample("d.png", "no partner"))
    with pytest.raises(UserError, match="3 of 5 examples are bad"):
        evaluation_batches(source, settings(), batch_size=1)


def test_other_errors_are_not_taken_for_bad_files():
    class Broken(Source):
        def __getitem__(self, index):
            if self.reads > 3:
                raise KeyError("a mistake in the program")
            return super().__getitem__(index)

    with pytest.raises(tf.errors.OpError, match="a mistake in the program"):
        taken(training_stream(Broken(), settings()), 9)


def test_the_list_stays_a_text_whatever_files_are_called(tmp_path):
    path = tmp_path / "skipped_files.txt"
    for _ in range(2):
        SkippedFiles(path, go_on=True).add([0] * 5, BadExample("caf\udce9.png", "truncated"))
        assert path.read_text(encoding="utf-8") == "caf\\udce9.png\ttruncated\n"
