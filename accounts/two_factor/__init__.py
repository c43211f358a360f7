"""Signing in to the control room with a second factor: a code from an app on the phone (TOTP, RFC 6238)."""
