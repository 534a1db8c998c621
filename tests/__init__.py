"""Tests of obsync; they run on real servers on 127.0.0.1."""
