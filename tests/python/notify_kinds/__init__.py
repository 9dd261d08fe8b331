"""The platforms that messages to approvers go to, one file a platform: what each takes, and what it answers."""

from .dingtalk import Dingtalk
from .discord import Discord
from .feishu import Feishu
from .google_chat import GoogleChat
from .mattermost import Mattermost, MattermostWebhook
from .pagerduty import Pagerduty
from .slack import Slack, SlackWebhook
from .smn import Smn
from .standard_webhooks import StandardWebhooks
from .teams import Teams
from .wecom import Wecom

# By the kind in `[[notify]]`.
PLATFORMS = {
    "slack-webhook": SlackWebhook,
    "slack": Slack,
    "mattermost-webhook": MattermostWebhook,
    "mattermost": Mattermost,
    "teams": Teams,
    "google-chat": GoogleChat,
    "discord": Discord,
    "feishu": Feishu,
    "dingtalk": Dingtalk,
    "wecom": Wecom,
    "smn": Smn,
    "pagerduty": Pagerduty,
    "standard-webhooks": StandardWebhooks,
}
