import { ActionIcon } from '@mantine/core'
import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'

/** Copies a text, and says that it has. */
export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [copied, setCopied] = useState<boolean | null>(null)
  useEffect(() => {
    if (copied === null) return
    const over = setTimeout(() => setCopied(null), 2000)
    return () => clearTimeout(over)
  }, [copied])
  const says = copied === null ? label : copied ? 'Copied' : 'The browser does not allow copying'
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      aria-label={says}
      title={says}
      onClick={() => {
        // Without a secure origin there is no clipboard.
        if (!navigator.clipboard) setCopied(false)
        else
          navigator.clipboard.writeText(text).then(
            () => setCopied(true),
            () => setCopied(false),
          )
      }}
    >
      {copied ? <Check size={14} /> : <Copy size={14} />}
    </ActionIcon>
  )
}
