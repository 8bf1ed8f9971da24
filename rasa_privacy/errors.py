"""Every error that the package raises on purpose: one tree under `PrivacyError`.

A message names the place, the cause and the remedy. It never carries a key, a payload, a sender id or another
personal value; `tests/storage/test_canary.py` holds that for storage.
"""

from typing import Final


class PrivacyError(Exception):
    """Base of every deliberate error. Catch this to catch them all."""


class PolicyError(PrivacyError):
    """privacy.yml is wrong, or does not fit the bot. The message starts with `file:line:column:`."""


class ConfigurationError(PrivacyError):
    """endpoints.yml, config.yml or the environment is wrong: an unknown name, a missing block, a wrong type."""


class ModelMismatchError(PrivacyError):
    """The model was trained without the gate, or with another privacy.yml than the server's."""


class KeyProviderError(PrivacyError):
    """A key file is missing, unreadable for us, readable for others, truncated, or not the database's own."""


class UnknownEpochError(KeyProviderError):
    """A key was wrapped in an epoch that the database does not know, or whose key is destroyed. Nobody can open it."""


class MalformedSegmentError(PrivacyError):
    """Stored bytes do not have the form that docs/spec/segment.md gives. Nothing was decrypted."""


class TamperedSegmentError(PrivacyError):
    """Stored bytes have the right form but were changed, moved, or sealed under another key or identity."""


class KeyDestroyedError(PrivacyError):
    """The data key of this subject and purpose was destroyed; what it sealed cannot be read again."""


class StorageError(PrivacyError):
    """The database cannot be reached, read or written."""


class IdentityError(StorageError):
    """An id or a number that says where sealed bytes belong cannot be one."""


class NotGrantedError(StorageError):
    """The database's user may not do that."""


class SharedContactError(StorageError):
    """A contact is held of more people than it can speak for."""


class SchemaVersionError(StorageError):
    """The database has the schema of another release."""


class UnreachableError(StorageError):
    """The database does not answer, or the connection broke. What was not committed is to be tried again."""


class ContentionError(StorageError):
    """Another transaction was first. Nothing was written; `Database.transact` tries again."""


class ConversationConflictError(ContentionError):
    """Another writer saved this conversation in between. Read it again and append."""


class LedgerError(PrivacyError):
    """The consent ledger does not verify, or a record is not allowed in its state."""


class AuditError(PrivacyError):
    """The audit log does not verify, or a record is not allowed in it."""


class AccessError(PrivacyError):
    """An operator may not do that, or nobody asked whether they may."""


class SignatureError(PrivacyError):
    """A signature is not the store's, or what it covers was changed."""


class JournalError(StorageError):
    """The erasure journal is missing, cut, changed, another database's, or cannot be written."""


class ImportLineError(PrivacyError):
    """A line of an imported file is not what it should be. The message quotes nothing of it."""


class RetentionError(PrivacyError):
    """Nothing was removed: the clock cannot be right, or another process sweeps."""


class DetectorError(PrivacyError):
    """A detector is unknown or failed."""


class ContactError(PrivacyError):
    """A text is neither an email address nor a phone number, so nobody could find it again."""


class OptInError(PrivacyError):
    """A one-time code was not accepted, or cannot be sent now. The consent does not count."""


class RequestError(PrivacyError):
    """A request of a person is unknown, closed, or may not be changed like this."""


class UnknownSenderError(RequestError):
    """Nothing is stored of a sender."""


class PassphraseError(PrivacyError):
    """A passphrase is too short or too long to protect anything. Nothing was written."""


class HoldError(PrivacyError):
    """A legal hold keeps the data, or a hold is not what it should be. Nothing was destroyed."""


class WebhookError(PrivacyError):
    """Another system did not answer, or its settings are wrong. It is told again later."""


class SenderError(PrivacyError):
    """A message could not be handed to the mail server, or the sender's settings are wrong."""


class EmitError(PrivacyError):
    """Something was about to leave the process that could not be brought into its minimised form."""


class UnknownNameError(PrivacyError):
    """`rasa_privacy` has no public name like this one."""


class ServerError(PrivacyError):
    """A process of the bot cannot be started, did not become healthy, or ended by itself; or training failed."""


#: What a conversation raises whose rows or keys are damaged or gone. One such does not stop the others; a database or a
#: key provider that does not answer is no damage.
DAMAGED: Final = (
    KeyDestroyedError,
    MalformedSegmentError,
    TamperedSegmentError,
    IdentityError,
    UnknownEpochError,
)
