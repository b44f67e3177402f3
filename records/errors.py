"""Errors of the school's books. Every error of this package is a :class:`RecordsError`; its text is one line that a user can act on."""

from __future__ import annotations


class RecordsError(Exception):
    """Base of everything `records` raises on purpose. Texts never hold personal codes, PINs or marks."""


class RosterFileError(RecordsError):
    """A roster file as a whole cannot be read: not UTF-8, too large, without its headers."""


class RecordContentError(RecordsError):
    """A record's contents are not of the form that its kind asks for; the message names the field."""


class ExportError(RecordsError):
    """A record cannot be set as a PDF."""


class NotFoundError(RecordsError):
    """The books hold no record, document, person or key of that name."""


class StaleRecordError(RecordsError):
    """Somebody else saved the record first; load it again and repeat the move."""


class AlreadySpentError(RecordsError):
    """An item of an authorisation has been used before; each is good for one signature."""


class PinLockedError(RecordsError):
    """Too many wrong PINs: an administrator and the holder unlock the key together, or it is replaced."""


class LifeCycleError(RecordsError):
    """Base of illegal moves; the record is unchanged."""


class AlreadyLockedError(LifeCycleError):
    """The record is locked: its teachers have finished. A revision needs an unlock."""


class NotLockedError(LifeCycleError):
    """Only a locked record can be asked to unlock."""


class TeachersNotFinishedError(LifeCycleError):
    """The record locks when every teacher's step is signed, not before."""


class AlreadySignedError(LifeCycleError):
    """The step carries its signature, or a version that carries signatures would be changed."""


class StepOrderError(LifeCycleError):
    """The step is not the next one of the workflow, or the workflow does not know it."""


class NotEntitledError(LifeCycleError):
    """The person's role or school does not allow the move."""


class UnlockPendingError(LifeCycleError):
    """An unlock request waits for a decision, or has been confirmed: the version is not signed further."""


class NoUnlockRequestError(LifeCycleError):
    """There is no request to confirm or refuse."""


class NoReasonError(LifeCycleError):
    """An unlock, its refusal and a withdrawal each need a reason, in so many words."""


class OwnRequestError(LifeCycleError):
    """Nobody decides on an unlock that they asked for themselves."""


class NotUnlockedError(LifeCycleError):
    """Contents are revised only after a school administrator confirmed the unlock."""


class NothingRevisedError(LifeCycleError):
    """The new contents are those of the version that stands."""


class NotCompleteError(LifeCycleError):
    """Only a version that carries every signature supersedes another or is withdrawn."""


class AlreadyWithdrawnError(LifeCycleError):
    """A withdrawn record stays withdrawn."""


class EnrolmentError(RecordsError):
    """A person cannot get a certificate: blocked, of a role that signs nothing, or of another school."""


class OfficerError(RecordsError):
    """A registration officer cannot be added or removed as asked."""


class OfficerLockedError(RecordsError):
    """Too many wrong PINs: the officer is removed by another and added anew."""


class StillIssuingError(RecordsError):
    """Somebody else issues what this request asks for at this moment; ask again."""
