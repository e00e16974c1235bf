"""The adversarial corpus: generators of files that execute when they are loaded, and of ordinary ones.

Nothing here is a file of the corpus: ``python -m bench.corpus.generate OUT`` writes them, with real libraries where
they are installed, ``python -m bench.corpus.show OUT`` loads each in a confined child and notes what it did, and
``python -m bench.corpus_table`` does both and compares scanners. The payload makes an empty file, ``marker``.
"""
