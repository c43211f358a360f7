"""What a claim has proven, who ended it, and whose turn its call is."""

from django.db import migrations, models

from partner_portal.live_migrations import AddIndexLive, RemoveIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('integrations', '0009_alarm_may_come_again'),
    ]

    operations = [
        RemoveIndexLive(
            model_name='outgoingcall',
            name='call_waiting',
        ),
        migrations.AddField(
            model_name='application',
            name='is_personal_data_access_needed',
            field=models.BooleanField(db_default=False, default=False, help_text="As set in Altegio's developer account. Altegio then says, signed, who presses Connect, and an arrival without that signature connects nothing: the safest way, because nobody else can be taken for the owner.", verbose_name='personal data access needed'),
        ),
        migrations.AddField(
            model_name='arrival',
            name='network',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=32),
        ),
        migrations.AddField(
            model_name='connection',
            name='ended_by',
            field=models.CharField(blank=True, choices=[('altegio', 'Altegio'), ('window', 'the end of its window'), ('staff', 'staff'), ('portal', 'the portal')], db_default='', default='', editable=False, max_length=8, verbose_name='ended by'),
        ),
        migrations.AddField(
            model_name='connection',
            name='is_disputed',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='disputed'),
        ),
        migrations.AddField(
            model_name='connection',
            name='is_proven',
            field=models.BooleanField(db_default=True, default=True, editable=False, verbose_name='claimant proven'),
        ),
        migrations.AddField(
            model_name='connection',
            name='network',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=32),
        ),
        migrations.AddField(
            model_name='connection',
            name='visitor',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=32),
        ),
        migrations.AddField(
            model_name='outgoingcall',
            name='turn',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AlterField(
            model_name='outgoingcall',
            name='priority',
            field=models.SmallIntegerField(choices=[(0, 'activation'), (10, 'call notification'), (20, 'question'), (30, 'payment or refund'), (40, 'setup'), (45, 'activation, nothing proven'), (50, 'bulk'), (60, 'housekeeping')], verbose_name='priority'),
        ),
        AddIndexLive(
            model_name='connection',
            index=models.Index(condition=models.Q(('is_proven', False), ('state__in', ('granted', 'conflict'))), fields=['visitor'], name='connection_by_visitor'),
        ),
        AddIndexLive(
            model_name='connection',
            index=models.Index(condition=models.Q(('is_proven', False), ('state__in', ('granted', 'conflict'))), fields=['network'], name='connection_by_network'),
        ),
        AddIndexLive(
            model_name='connection',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['location', 'ended_at'], name='connection_refused_here'),
        ),
        AddIndexLive(
            model_name='outgoingcall',
            index=models.Index(condition=models.Q(('state__in', ('queued', 'doubtful'))), fields=['priority', 'turn', 'deadline_at', 'id'], name='call_waiting_in_turn'),
        ),
    ]
