"""The school's books: who is in them, what a record says, and what may become of it.

* `roster`, `roster_csv`, `blocked`: schools and people from CSV; who gets no certificate, and why.
* `enrolment`, `holder`: keys and certificates for those who may have them; PINs, activation codes, openings.
* `bulk`, `bulk_desk`, `bulk_issuance`: many at once: batches, the desk where they are submitted, and their issuance chunk by chunk.
* `record`, `canonical`, `differences`: a record's contents, its `record.json`, and how two versions differ.
* `lifecycle`, `unlock`, `state`, `ledger`: the moves from open to locked, revised, superseded; what the log keeps of each.
* `export`, `form`: the PDF with its attachment and its empty signature fields.
* `service`, `roster_service`: the same with stores (`ports`, `roster_ports`, `key_ports`), saved in one transaction.

A made-up school to try it with:

>>> from records.roster import RosterFile, import_roster
>>> from records.sample import sample_roster
>>> sample = sample_roster()
>>> found = import_roster(
...     schools=RosterFile("schools.csv", sample.schools_csv), students=RosterFile("students.csv", sample.students_csv)
... )
>>> len(found.students), len(found.blocked), found.blocked[0].text
(122, 13, 'SM-9A-12 has no personal code; enter it once the civil registry has issued one')
"""
