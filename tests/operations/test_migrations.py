"""A migration never makes a running portal wait, and the code of the release before goes on working beside it.

Each operation of every migration but an app's first is read. What would lock a large table on PostgreSQL,
or take away what the running code still reads, is refused: `partner_portal.core.live_migrations` has what to
take instead, and docs/operations.md says how a column is renamed or dropped over two releases.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from partner_portal.core.live_migrations import AddIndexLive, RemoveIndexLive

PACKAGES = ("partner_portal", "accounts", "integrations", "billing")
OURS = {app.label for app in apps.get_app_configs() if app.name.split(".")[0] in PACKAGES}

# (app, migration): why it may all the same.
ALLOWED: dict[tuple[str, str], str] = {
    ("accounts", "0011_erased_before"): "It changes the few rows of erased people, which nobody writes.",
    ("connections", "0013_proven_owners"): "It changes one column of rows of which nobody else writes it.",
    ("connections", "0015_expected_addresses_of_before"): "It fills a new column of the few arrivals that wait.",
    ("core", "0004_history_by_number"): "It changes rows that nobody else does, and the running code reads both.",
    ("partner_events", "0003_altegio_events"): "It reads the few applications and writes a webhook for each.",
}

# For the types of columns; it is never connected.
POSTGRESQL = DatabaseWrapper(
    {"ENGINE": "django.db.backends.postgresql", "NAME": "", "OPTIONS": {}, "TIME_ZONE": None}
)

ALWAYS_REFUSED: dict[type[Operation], str] = {
    migrations.AddIndex: "it locks the table while the index is built; take AddIndexLive",
    migrations.RemoveIndex: "it waits for every reader, and all wait for it; take RemoveIndexLive",
    **dict.fromkeys(
        (
            migrations.RemoveField,
            migrations.RenameField,
            migrations.DeleteModel,
            migrations.RenameModel,
            migrations.AlterModelTable,
        ),
        "the running code still uses it; drop it one release after the last code that does",
    ),
    **dict.fromkeys(
        (
            migrations.AddConstraint,
            migrations.AlterUniqueTogether,
            migrations.AlterIndexTogether,
            migrations.AlterOrderWithRespectTo,
        ),
        "it reads the whole table under a lock",
    ),
    **dict.fromkeys((migrations.RunPython, migrations.RunSQL), "what it does cannot be read; say it in the list"),
}


def refused(app: str, operations: Sequence[Any], before: ProjectState) -> Iterator[str]:
    """What is wrong with the operations of a migration, in words."""
    state, new = before.clone(), set()
    for operation in operations:
        if isinstance(operation, migrations.CreateModel):
            new.add(operation.name.lower())
        elif getattr(operation, "model_name", None) not in new and (problem := problem_of(app, operation, state)):
            yield f"{operation.describe()}: {problem}"
        operation.state_forwards(app, state)


def problem_of(app: str, operation: Any, state: ProjectState) -> str:
    match operation:
        case AddIndexLive() | RemoveIndexLive():
            return ""
        case migrations.AddField():
            return problem_of_new_column(operation.field)
        case migrations.AlterField():
            old = state.models[app, operation.model_name_lower].get_field(operation.name)
            return problem_of_changed_column(bound(app, operation, old), bound(app, operation, operation.field))
        case migrations.SeparateDatabaseAndState():
            return "; ".join(filter(None, (problem_of(app, inner, state) for inner in operation.database_operations)))
    problems = (problem for kind, problem in ALWAYS_REFUSED.items() if isinstance(operation, kind))
    return next(problems, "")


def has_index(field: models.Field[Any, Any]) -> bool:
    return bool(getattr(field, "db_index", False))


def problem_of_new_column(field: models.Field[Any, Any]) -> str:
    if isinstance(field, models.ManyToManyField):
        return ""
    if isinstance(field, models.GeneratedField):
        return "the whole table is written anew"
    if not field.null and not field.has_db_default():
        return "the running code writes rows without it; let it be null, or give it a db_default"
    if field.unique or (has_index(field) and not field.is_relation):
        return "it locks the table while the index is built; add the column bare, then AddIndexLive"
    return ""


def problem_of_changed_column(old: models.Field[Any, Any], new: models.Field[Any, Any]) -> str:
    types = [field.db_parameters(POSTGRESQL)["type"] for field in (old, new)]
    if types[0] != types[1] and not grows(old, new):
        return f"from {types[0]} to {types[1]} the whole table is written anew"
    if old.null and not new.null:
        return "the whole table is read under a lock, and the running code may still write NULL"
    if (new.unique and not old.unique) or (has_index(new) and not has_index(old)):
        return "it locks the table while the index is built"
    return ""


def grows(old: models.Field[Any, Any], new: models.Field[Any, Any]) -> bool:
    """A longer text costs PostgreSQL nothing."""
    if not isinstance(old, models.CharField) or not isinstance(new, models.CharField | models.TextField):
        return False
    return isinstance(new, models.TextField) or (new.max_length or 0) >= (old.max_length or 0)


def bound(app: str, operation: Any, field: models.Field[Any, Any]) -> models.Field[Any, Any]:
    """A copy that knows its column and what it refers to."""
    copy = field.clone()
    copy.set_attributes_from_name(operation.name)
    copy.model = apps.get_model(app, operation.model_name)
    if copy.is_relation:
        other: Any = copy.remote_field
        other.model = apps.get_model(other.model)
    return copy


def later_migrations() -> dict[tuple[str, str], list[str]]:
    """Every migration of ours but each app's first, with what is wrong with it."""
    loader, found = MigrationLoader(None), {}
    for (app, name), migration in loader.disk_migrations.items():
        if app in OURS and not name.startswith("0001_"):
            before = loader.project_state((app, name), at_end=False)
            found[app, name] = list(refused(app, migration.operations, before))
    return found


def test_no_migration_makes_a_running_portal_wait() -> None:
    wrong = {key: problems for key, problems in later_migrations().items() if problems}
    assert {key: problems for key, problems in wrong.items() if key not in ALLOWED} == {}
    assert set(ALLOWED) <= set(wrong), "what needs no permission any more is taken out of the list"


def test_every_permission_has_a_reason() -> None:
    assert all(len(reason.split()) >= 5 for reason in ALLOWED.values())


STATE = MigrationLoader(None).project_state(("accounts", "0001_initial"))
INDEX = models.Index(fields=["name"], name="x")
TEXT = models.CharField(max_length=200, blank=True)


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddIndex("user", INDEX),
        migrations.RemoveIndex("outgoingemail", "email_waiting"),
        migrations.RemoveField("user", "name"),
        migrations.RenameField("user", "name", "title"),
        migrations.RenameModel("User", "Human"),
        migrations.DeleteModel("OutgoingEmail"),
        migrations.AddField("user", "age", models.IntegerField(default=0)),
        migrations.AddField("user", "nick", models.CharField(max_length=9, null=True, unique=True)),
        migrations.AddConstraint("user", models.UniqueConstraint(fields=["name"], name="y")),
        migrations.AlterField("user", "name", models.IntegerField()),
        migrations.AlterField("user", "name", models.CharField(max_length=10)),
        migrations.AlterField("user", "email", models.EmailField(max_length=254)),
        migrations.AlterField("user", "name", models.CharField(max_length=200, db_index=True)),
        migrations.RunPython(migrations.RunPython.noop),
        migrations.RunSQL("SELECT 1"),
    ],
    ids=lambda operation: operation.describe(),
)
def test_an_operation_that_running_processes_would_feel_is_refused(operation: Any) -> None:
    assert len(list(refused("accounts", [operation], STATE))) == 1


@pytest.mark.parametrize(
    "operation",
    [
        AddIndexLive("user", INDEX),
        migrations.AddField("user", "age", models.IntegerField(null=True)),
        migrations.AddField("user", "age", models.IntegerField(db_default=0)),
        migrations.AddField("outgoingemail", "user", models.ForeignKey("accounts.User", models.SET_NULL, null=True)),
        migrations.AlterField("user", "name", models.CharField("first name", max_length=200, blank=True)),
        migrations.AlterField("user", "name", models.CharField(max_length=300)),
        migrations.AlterField("user", "name", models.TextField()),
        migrations.AlterField("outgoingemail", "sent_at", models.DateTimeField("sent", null=True)),
    ],
    ids=lambda operation: operation.describe(),
)
def test_an_operation_that_running_processes_do_not_notice_is_allowed(operation: Any) -> None:
    assert list(refused("accounts", [operation], STATE)) == []


def test_a_table_made_in_the_same_migration_may_be_locked() -> None:
    made = migrations.CreateModel("Note", [("id", models.BigAutoField(primary_key=True)), ("name", TEXT)])
    assert list(refused("accounts", [made, migrations.AddIndex("note", INDEX)], STATE)) == []
