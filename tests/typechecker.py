"""The run-time type checker of the tests: what jaxtyping's import hook wraps the public face with."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int where a float is asked for is fine
