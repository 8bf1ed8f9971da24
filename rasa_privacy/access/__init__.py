"""Who may see what: operators, roles, training, permits, and the audit log of what was done with them.

For the rooms above::

    from rasa_privacy.access.admission import admit
    from rasa_privacy.access.login import local_operator, login
    from rasa_privacy.access.recording import record, record_now, recording
    from rasa_privacy.access.sight import see, show

    operator = login(vault, token)      # or local_operator(), the user of the machine; good for a session
    permit = admit(vault, operator, "view", reason="request 17", clear=False, purposes=[...], items=[...])
    with vault.database.read() as connection:
        seen = see(vault, connection, sender_id, permit)            # permitted purposes and items, masked or clear
    record_now(vault, permit, subject_id=seen.subject_id, items=seen.items, counts={"values": 3})   # then show it

    def change(connection):                          # a change and its record are one transaction
        ...
        record(vault, connection, permit, subject_id=..., counts={"events": 12})
    vault.database.transact(change)

    with recording(vault, permit, purposes=["newsletter"]) as counts:   # something long: begun, then done or failed
        counts["people"] = ...

Commands use `cli.acting`: the decorator `operator_options`, and `permit_for(vault, "view")`.

Rules:

1. A function below the command line and the API that returns or changes a person's data for an operator takes a
   `Permit` and begins with `permit.require("view")`; what it returns is limited by `covers_purpose`, `covers_item` and
   `show`. Only `admission` makes permits, so that there is no call without an operator by accident. For what people do
   themselves in the chat there are functions without one.
2. `admit` reads the operator anew: revoked, over, renewed or untrained is an `AccessError`, which is in the log then.
   So a permit is for one call; get another for the next.
3. What is done is recorded: a change in its own transaction (`record`, as its last statement), what was read before it
   is shown (`record_now`), and what takes long around it (`recording`). A record that cannot be written stops the
   access.
4. A verb is a word of `policy.verbs.VERBS`. A new one is added there, with its meaning, and nowhere else.
"""
