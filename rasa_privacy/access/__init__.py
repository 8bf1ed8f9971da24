"""Who may see what: permits, and the audit log of what was done with them.

For the rooms above and beside::

    from rasa_privacy.access.admission import admit_local
    from rasa_privacy.access.permit import Permit
    from rasa_privacy.access.recording import record, record_now, recording

    permit = admit_local(vault, "view", "asked by mail, request 17")             # commands: cli.acting.permit_for
    with vault.database.read() as connection:
        found = holdings_for(vault, connection, sender_id, permit)               # takes a Permit, so it needs one
    record_now(vault, permit, subject_id=..., items=[...], counts={"values": 3})  # before anything is shown

Rules:

1. A function below the command line that returns or changes a person's data for an operator takes a `Permit` and calls
   `permit.require("view")` first. Only `admission` makes permits, so there is no call without an operator by accident.
2. What is done is recorded: a change in its own transaction (`record`, as its last statement), what was read before it
   is shown (`record_now`), and what takes long around it (`recording`). A record that cannot be written stops the
   access.
3. A permit is for one call. Who keeps one does not notice that the operator was revoked.
"""
