"""A recording that was cut off, or damaged, written again as a whole file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mcap.records import Channel, Message, Metadata, Schema
from mcap.writer import CompressionType, Writer

from citynerve.errors import ConfigError, UnavailableError
from simulators.recording.reader import File, Files
from simulators.recording.shape import END, PROFILE, RECORDING
from simulators.recording.writer import CHUNK

REPAIRED: Final = "citynerve.repaired"
"""Name of the metadata record that tells what was mended."""


def repair(paths: Sequence[Path], out: Path) -> int:
    """Write all that can be read to one file; how many messages that is.

    Messages, their times, channels and schemas stay what they were, and so does our metadata, but
    for how a part had ended: a file that was mended says so.

    Raises:
        CityNerveError: There is no recording, or the file cannot be written or exists already.
    """
    files = Files.open(paths)
    try:
        with out.open("xb") as stream:
            writer = Writer(stream, chunk_size=CHUNK, compression=CompressionType.ZSTD)
            writer.start(PROFILE)
            count = sum(_copy(file, writer, first=n == 0) for n, file in enumerate(files.files))
            writer.add_metadata(
                REPAIRED,
                {
                    "files": " ".join(file.path.name for file in files.files),
                    "lost_bytes": str(sum(file.lost_bytes for file in files.files)),
                    "damaged_chunks": str(sum(file.damaged for file in files.files)),
                },
            )
            writer.finish()  # type: ignore[no-untyped-call]
    except FileExistsError as error:
        raise ConfigError(
            "there is such a file already",
            key="--repair",
            value=str(out),
            fix="name another file",
        ) from error
    except OSError as error:
        raise UnavailableError(
            "repaired recording",
            where=str(out),
            problem=error.strerror or str(error),
            fix="name a file in a folder that can be written with --repair",
        ) from error
    return count


def _copy(file: File, writer: Writer, *, first: bool) -> int:
    schemas: dict[int, int] = {0: 0}
    channels: dict[int, int] = {}
    count = 0
    for record in file.records():
        if isinstance(record, Message) and record.channel_id in channels:
            count += 1
            writer.add_message(
                channels[record.channel_id],
                record.log_time,
                record.data,
                record.publish_time,
                record.sequence,
            )
        # Both stand again in a whole file's summary.
        elif isinstance(record, Schema) and record.id not in schemas:
            schemas[record.id] = writer.register_schema(record.name, record.encoding, record.data)
        elif isinstance(record, Channel) and record.id not in channels:
            channels[record.id] = writer.register_channel(
                record.topic,
                record.message_encoding,
                schemas.get(record.schema_id, 0),
                record.metadata,
            )
        elif (
            isinstance(record, Metadata)
            and record.name != END
            and (first or record.name != RECORDING)
        ):
            writer.add_metadata(record.name, record.metadata)
    return count
