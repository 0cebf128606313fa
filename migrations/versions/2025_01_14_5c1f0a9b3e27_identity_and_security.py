"""Accounts, roles, sessions and the trails they leave.

Revision ID: 5c1f0a9b3e27
Revises:
Create Date: 2025-01-14
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5c1f0a9b3e27"
down_revision = None
branch_labels = None
depends_on = None

user_status = postgresql.ENUM("invited", "active", "suspended", name="user_status", create_type=False)
channel = postgresql.ENUM("web", "sms", "email", "voice", name="channel", create_type=False)
auth_token_kind = postgresql.ENUM(
    "refresh", "password_reset", "email_verification", "api", name="auth_token_kind", create_type=False
)
mfa_method = postgresql.ENUM("totp", "sms", "webauthn", name="mfa_method", create_type=False)
security_event_kind = postgresql.ENUM(
    "login",
    "login_failed",
    "logout",
    "password_changed",
    "mfa_changed",
    "token_reused",
    "role_changed",
    name="security_event_kind",
    create_type=False,
)

ROLES = {
    "admin": "Runs the installation",
    "member": "Uses the assistant",
    "guest": "Looks around before signing up",
}
PERMISSIONS = {
    "users:read": "See who has an account",
    "users:write": "Invite, suspend and erase accounts",
    "roles:write": "Give and take roles",
    "audit:read": "Read the security trails",
    "conversations:read": "Read one's conversations",
    "conversations:write": "Talk to the assistant",
    "planning:write": "Keep to-dos, reminders and events",
    "money:write": "Keep expenses",
    "notes:read": "Read one's notes",
    "notes:write": "Write notes",
}
GRANTS = {
    "admin": tuple(PERMISSIONS),
    "member": (
        "conversations:read",
        "conversations:write",
        "planning:write",
        "money:write",
        "notes:read",
        "notes:write",
    ),
    "guest": ("conversations:read", "notes:read"),
}


def upgrade() -> None:
    op.execute(postgresql.CreateEnumType(user_status))
    op.execute(postgresql.CreateEnumType(channel))
    op.execute(postgresql.CreateEnumType(auth_token_kind))
    op.execute(postgresql.CreateEnumType(mfa_method))
    op.execute(postgresql.CreateEnumType(security_event_kind))

    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.Text(), comment="Argon2id; null for single sign-on"),
        sa.Column("status", user_status, server_default="invited", nullable=False),
        sa.Column("locale", sa.String(length=16), server_default="en", nullable=False),
        sa.Column(
            "time_zone", sa.String(length=64), server_default="UTC", nullable=False, comment="An IANA name"
        ),
        sa.Column("last_login_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "deleted_at", sa.DateTime(timezone=True), comment="Marked first, erased by a job 30 days later"
        ),
        sa.CheckConstraint("position('@' in email) > 1", name=op.f("ck_users_email_has_at")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        comment="People with an account",
    )
    op.create_index(
        "uq_users_email_lower",
        "users",
        [sa.text("lower(email)")],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_users_deleted_at", "users", ["deleted_at"], postgresql_where=sa.text("deleted_at IS NOT NULL")
    )

    op.create_table(
        "user_settings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("preferred_channel", channel, server_default="web", nullable=False),
        sa.Column("notifications_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("quiet_from", sa.Time()),
        sa.Column("quiet_until", sa.Time()),
        sa.Column(
            "week_starts_on",
            sa.SmallInteger(),
            server_default=sa.text("1"),
            nullable=False,
            comment="1 is Monday, as in ISO 8601",
        ),
        sa.Column(
            "preferences",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="What the web client keeps for itself",
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)", name=op.f("ck_user_settings_quiet_hours_complete")
        ),
        sa.CheckConstraint(
            "week_starts_on BETWEEN 1 AND 7", name=op.f("ck_user_settings_week_starts_on_is_iso")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_settings_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_settings")),
        comment="At most one row for a user; no row means the defaults",
    )

    op.create_table(
        "roles",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "is_system",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Shipped with the application; cannot be deleted in the console",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("name", name=op.f("uq_roles_name")),
        comment="Named bundles of permissions; the first ones are seeded",
    )

    op.create_table(
        "permissions",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False, comment="area:verb, for example notes:write"),
        sa.Column("description", sa.Text(), nullable=False),
        sa.CheckConstraint("code ~ '^[a-z_]+:[a-z_]+$'", name=op.f("ck_permissions_code_is_area_and_verb")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permissions")),
        sa.UniqueConstraint("code", name=op.f("uq_permissions_code")),
        comment="What the code asks for before it acts",
    )

    op.create_table(
        "role_permissions",
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("permission_id", sa.Integer(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["permission_id"],
            ["permissions.id"],
            name=op.f("fk_role_permissions_permission_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["roles.id"], name=op.f("fk_role_permissions_role_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("role_id", "permission_id", name=op.f("pk_role_permissions")),
        comment="Which role may do what",
    )
    op.create_index("ix_role_permissions_permission_id", "role_permissions", ["permission_id"])

    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("granted_by", sa.Uuid()),
        sa.Column("granted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("expires_at > granted_at", name=op.f("ck_user_roles_expires_after_grant")),
        sa.ForeignKeyConstraint(
            ["granted_by"], ["users.id"], name=op.f("fk_user_roles_granted_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["roles.id"], name=op.f("fk_user_roles_role_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_user_roles")),
        comment="Which user has which role, for how long",
    )
    op.create_index("ix_user_roles_granted_by", "user_roles", ["granted_by"])
    op.create_index("ix_user_roles_role_id", "user_roles", ["role_id"])

    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("ip_address", postgresql.INET()),
        sa.Column("user_agent", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_user_sessions_expires_after_creation")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        comment="One row a signed-in browser or telephone",
    )
    op.create_index(
        "ix_user_sessions_open",
        "user_sessions",
        ["expires_at"],
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_index("ix_user_sessions_user_id", "user_sessions", ["user_id"])

    op.create_table(
        "auth_tokens",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), comment="Null for tokens that outlive a session"),
        sa.Column("kind", auth_token_kind, nullable=False),
        sa.Column(
            "token_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256; the token itself is never stored",
        ),
        sa.Column("issued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consumed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "kind <> 'refresh' OR session_id IS NOT NULL", name=op.f("ck_auth_tokens_refresh_has_session")
        ),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_auth_tokens_token_hash_is_sha256")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["user_sessions.id"], name=op.f("fk_auth_tokens_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_auth_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_auth_tokens_token_hash")),
        comment="Everything that proves an identity without a password",
    )
    op.create_index(
        "ix_auth_tokens_open",
        "auth_tokens",
        ["kind", "expires_at"],
        postgresql_where=sa.text("consumed_at IS NULL"),
    )
    op.create_index("ix_auth_tokens_session_id", "auth_tokens", ["session_id"])
    op.create_index("ix_auth_tokens_user_id", "auth_tokens", ["user_id"])

    op.create_table(
        "mfa_configurations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("method", mfa_method, nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="Encrypted with the application's key"),
        sa.Column("recovery_code_hashes", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "NOT is_primary OR confirmed_at IS NOT NULL",
            name=op.f("ck_mfa_configurations_primary_is_confirmed"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_mfa_configurations_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mfa_configurations")),
        comment="Second factors; at most one of a user is the primary one",
    )
    op.create_index("ix_mfa_configurations_user_id", "mfa_configurations", ["user_id"])
    op.create_index(
        "uq_mfa_configurations_primary",
        "mfa_configurations",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("is_primary"),
    )

    op.create_table(
        "security_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column(
            "session_id",
            sa.Uuid(),
            comment="Points to user_sessions.id; no foreign key, so that logging in never waits for it",
        ),
        sa.Column("kind", security_event_kind, nullable=False),
        sa.Column("severity", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("ip_address", postgresql.INET()),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("severity BETWEEN 0 AND 10", name=op.f("ck_security_events_severity_in_range")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_security_events_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_events")),
        comment="What happened to accounts; append only",
    )
    op.create_index(
        "ix_security_events_details",
        "security_events",
        ["details"],
        postgresql_using="gin",
        postgresql_ops={"details": "jsonb_path_ops"},
    )
    op.create_index(
        "ix_security_events_occurred_at", "security_events", ["occurred_at"], postgresql_using="brin"
    )
    op.create_index("ix_security_events_user_id", "security_events", ["user_id"])

    op.create_table(
        "access_audit_logs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), comment="No foreign key: the trail stays when the account is erased"),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("resource", sa.String(length=80), nullable=False),
        sa.Column("resource_id", sa.Text()),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "allowed OR reason IS NOT NULL", name=op.f("ck_access_audit_logs_refusal_has_reason")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_audit_logs")),
        comment="Who asked for what, and whether they got it",
    )
    op.create_index(
        "ix_access_audit_logs_refused",
        "access_audit_logs",
        ["occurred_at"],
        postgresql_where=sa.text("NOT allowed"),
    )
    op.create_index(
        "ix_access_audit_logs_user_id_occurred_at",
        "access_audit_logs",
        ["user_id", sa.text("occurred_at DESC")],
    )

    _seed_roles()


def _seed_roles() -> None:
    """The rows without which nobody could be given any right."""
    roles = sa.table(
        "roles",
        sa.column("id", sa.Integer()),
        sa.column("name", sa.String()),
        sa.column("description", sa.Text()),
        sa.column("is_system", sa.Boolean()),
    )
    permissions = sa.table(
        "permissions",
        sa.column("id", sa.Integer()),
        sa.column("code", sa.String()),
        sa.column("description", sa.Text()),
    )
    grants = sa.table(
        "role_permissions", sa.column("role_id", sa.Integer()), sa.column("permission_id", sa.Integer())
    )
    op.bulk_insert(
        roles, [{"name": name, "description": text, "is_system": True} for name, text in ROLES.items()]
    )
    op.bulk_insert(permissions, [{"code": code, "description": text} for code, text in PERMISSIONS.items()])
    for role, codes in GRANTS.items():
        pairs = (
            sa.select(roles.c.id, permissions.c.id)
            .join_from(roles, permissions, permissions.c.code.in_(codes))
            .where(roles.c.name == role)
        )
        op.execute(grants.insert().from_select(["role_id", "permission_id"], pairs))


def downgrade() -> None:
    op.drop_table("access_audit_logs")
    op.drop_table("security_events")
    op.drop_table("mfa_configurations")
    op.drop_table("auth_tokens")
    op.drop_table("user_sessions")
    op.drop_table("user_roles")
    op.drop_table("role_permissions")
    op.drop_table("permissions")
    op.drop_table("roles")
    op.drop_table("user_settings")
    op.drop_table("users")
    op.execute(postgresql.DropEnumType(security_event_kind))
    op.execute(postgresql.DropEnumType(mfa_method))
    op.execute(postgresql.DropEnumType(auth_token_kind))
    op.execute(postgresql.DropEnumType(channel))
    op.execute(postgresql.DropEnumType(user_status))
