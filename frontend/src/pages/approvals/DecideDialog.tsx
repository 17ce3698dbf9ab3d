import { Button, Modal, NativeSelect, PasswordInput, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { answered, api, queries } from '../../api/client'
import { ProblemNotice } from '../../parts/ProblemNotice'
import { useApproverKeys, useNow } from './useApprovals'
import { type Approval, drift, left, notional, order, usableKeys } from './words'

interface Props {
  approval: Approval
  decision: 'approve' | 'reject'
  onClose: () => void
}

/** Choose a key, read exactly what it signs, give its passphrase. The passphrase leaves this dialog once and is forgotten. */
export function DecideDialog({ approval, decision, onClose }: Props) {
  const now = useNow()
  const keys = useApproverKeys()
  const [chosen, setChosen] = useState('')
  const [why, setWhy] = useState('')
  const [passphrase, setPassphrase] = useState('')
  const [settled] = useDebouncedValue(why, 300)
  const usable = usableKeys(approval, keys.data ?? [])
  const key = usable.includes(chosen) ? chosen : (usable[0] ?? '')
  const reject = decision === 'reject'
  const complete = key !== '' && (!reject || settled.trim() !== '')
  const id = approval.id
  const text = useQuery({
    queryKey: ['approvals', 'text', id, decision, key, settled],
    queryFn: () =>
      answered(
        api.GET('/api/approvals/{id}/text', { params: { path: { id }, query: { decision, key, why: settled } } }),
      ),
    enabled: complete,
    placeholderData: keepPreviousData,
    retry: false,
  })
  const shown = complete && settled === why && !text.isPlaceholderData && !text.isError ? text.data : undefined
  const decide = useMutation({
    mutationFn: (digest: string) =>
      answered(
        api.POST('/api/approvals/{id}/decision', {
          params: { path: { id } },
          body: { decision, key, passphrase, why: settled, digest },
        }),
      ),
    onSettled: () => {
      setPassphrase('')
      void queries.invalidateQueries({ queryKey: ['approvals'] })
    },
    onSuccess: (after) => {
      notifications.show({
        title: reject ? 'Rejected' : 'Approved',
        message: `${order(after)}, with ${key}: ${after.approved} of ${after.needed} approvals. Recorded in the audit log.`,
      })
      onClose()
    },
  })
  const gone = decision === 'approve' ? approval.objection : null
  return (
    <Modal opened onClose={onClose} title={`${reject ? 'Reject' : 'Approve'}: ${order(approval)}`} size={640}>
      <div className="approvals-decide">
        <p>
          {notional(approval)} for agent {approval.agent}, account {approval.account} at {approval.venue}.{' '}
          {reject
            ? 'A rejection is final, whoever has approved it.'
            : `Exactly this order is sent once, when ${approval.needed} of ${approval.signers.length} have signed.`}
        </p>
        <p className="muted">
          Price drift {drift(approval)}; expires in {left(approval.expires_at - now)}.
        </p>
        {gone && (
          <p className="approvals-objection" role="alert">
            ⚠ {gone}
          </p>
        )}
        {keys.data && usable.length === 0 ? (
          <p className="approvals-objection" role="status">
            No key in this home may still decide on it. A key that lies elsewhere signs with{' '}
            <code>
              clawd approvals {decision} {id} --key FILE
            </code>
            .
          </p>
        ) : (
          <NativeSelect
            label="Key that signs"
            data={usable}
            value={key}
            onChange={(event) => setChosen(event.currentTarget.value)}
          />
        )}
        <TextInput
          label={reject ? 'Reason (signed with it)' : 'Reason (optional, signed with it)'}
          required={reject}
          value={why}
          onChange={(event) => setWhy(event.currentTarget.value)}
          maxLength={500}
          autoComplete="off"
          data-autofocus
        />
        <div>
          <div className="approvals-label" id={`${id}-text`}>
            This is signed, to the byte
          </div>
          {text.isError && complete ? (
            <ProblemNotice error={text.error} />
          ) : (
            // A part that scrolls has to be reached by keyboard.
            // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
            <section className="approvals-text" tabIndex={0} aria-labelledby={`${id}-text`}>
              <pre>
                {complete
                  ? (text.data?.text ?? 'Asking for it …')
                  : reject
                    ? 'Give a reason first.'
                    : 'Choose a key first.'}
              </pre>
            </section>
          )}
        </div>
        <PasswordInput
          label={`Passphrase of ${key || 'the key'}`}
          description="Asked for each time; it is kept nowhere."
          value={passphrase}
          onChange={(event) => setPassphrase(event.currentTarget.value)}
          maxLength={1024}
          autoComplete="off"
          visibilityToggleButtonProps={{ 'aria-label': 'Show the passphrase' }}
        />
        {decide.error && <ProblemNotice error={decide.error} />}
        <div className="approvals-buttons">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            color={reject ? 'danger' : undefined}
            disabled={!shown || passphrase === '' || decide.isPending || gone !== null}
            onClick={() => shown && decide.mutate(shown.digest)}
          >
            {decide.isPending ? 'Signing …' : reject ? 'Sign the rejection' : 'Sign the approval'}
          </Button>
        </div>
      </div>
    </Modal>
  )
}
