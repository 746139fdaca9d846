"""tickvisor budget."""

from __future__ import annotations

from scripts.configured import settings_or_exit
from scripts.ops.asking import PROGRAM, ask
from scripts.ops.budget_table import picture
from scripts.ops.options import AsJson
from scripts.ops.screen import Picture
from shared.settings import VENDOR_WORKERS
from shared.store.ops_reader import OpsReader
from shared.store.token_bucket import BucketPolicy, account_of
from shared.views.budget import document, view


def budget(as_json: AsJson = False) -> None:
    """Show the vendor's call budget, what each worker called for, and what is suspended.

    The tokens are those of this moment, the calls by kind those of the workers' newest figures.
    """
    settings = settings_or_exit(PROGRAM)
    policy = BucketPolicy.from_settings(settings.alpha_vantage)
    secret = settings.alpha_vantage.api_key.reveal()
    account = account_of(secret) if secret else ""
    seen = ask(
        settings,
        lambda store, keys: OpsReader(store, keys).budget(account, policy, VENDOR_WORKERS),
    )
    found = view(seen, VENDOR_WORKERS, policy.burst)
    Picture(picture, document, as_json).show(found)
