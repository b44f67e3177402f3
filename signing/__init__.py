"""The signing service: PAdES signatures applied to PDFs and verified (ETSI EN 319 142-1, EN 319 102-1, ISO 32000-2).

    shared      workflow, step, steps, expressible             who signs what, in which order, and what PDF can express of it
                verdict, failure, errors, ports                what comes out, what goes wrong, what is asked of the outside
                pdf/                                           reading PDFs as chains of revisions; writing objects
    applying    sign, container, gap, writer, form, graft,     one signature as an incremental update, with its appearance
                appearance, fonts/, locks, recheck
                dss, archive, renewal                          validation data, archive time stamps, and when the next one is due
                batch, authorisation, two_step                 a class in one run; what a person agreed to; keys held elsewhere
                inspect, hidden, layout, reading, risky,       what is refused before signing
                refusal
    verifying   verify                                         the numbered list that fails closed; each number has its files:
                  structure, signature_field, byterange,         1-2  structure, coverage, digests
                  mdp, digests
                  changes, comparison, tiling, references,       2    what later revisions changed, by the roles of objects
                  role_*, leftovers, lookalike, inert
                  signature, cms_check, carried                  3    CMS, and what it carries
                  standing, ground, evidence, trust              4-5  chain and revocation at a moment
                  stamp, times, level                            6    time stamps and what they prove
                  policy, manifest, entitlement, subject         7    what is demanded, and by whom a record must be signed
                  conclude, unreadable                           8    the verdict
                engines, own_make, opinion, ades               which engine answers; pyHanko's second opinion
                online                                         judging again with what could be fetched
                bulk, handler, peer, fork_server, wire,        many documents, in processes that can be killed: the parent's side,
                worker, task, memory, grant, stopwatch         what is said, the process's side, what a document may take
                intake, journal                                what is read, and what was judged before
                summary, report, report_html, report_pdf       what is told of one document, and of many
                outside_authority                              what another authority is trusted for

>>> from signing.workflow import Workflow
>>> seal_alone = {"id": "notice/1", "steps": [{"id": "seal", "role": "school-seal", "field": "Signature-Seal", "seal": True}]}
>>> [step.field for step in Workflow.from_mapping(seal_alone).steps]
['Signature-Seal']
"""
