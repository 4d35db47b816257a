import { useRef, useState } from 'preact/hooks';
import { MAX_PICTURES, PICTURE_TYPES } from '../../../../../shared/decisions.ts';
import type { usePictures } from './pictures.ts';

/** The files that were dropped or pasted. */
const filesOf = (data: DataTransfer | null) => [...(data?.files ?? [])];

/** Chooses pictures by the browser's picker, by dropping or by pasting them, and shows each with what became of it. */
export function Pictures({ all, add, remove }: ReturnType<typeof usePictures>) {
  const picker = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the picker beside it does the same by keyboard
    <div
      class={isOver ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        add(filesOf(event.dataTransfer));
      }}
    >
      <div class="row">
        <button type="button" class="quiet" onClick={() => picker.current?.click()}>
          Add pictures
        </button>
        <span class="soft">or drop or paste them here: up to {MAX_PICTURES}, of 5 MB each</span>
      </div>
      <input
        ref={picker}
        hidden
        type="file"
        accept={PICTURE_TYPES.join()}
        multiple
        onChange={(event) => {
          add([...(event.currentTarget.files ?? [])]);
          // So that the same file can be chosen again.
          event.currentTarget.value = '';
        }}
      />
      {all.length > 0 && (
        <ul class="chosen" aria-label="Pictures">
          {all.map(({ key, name, src, sent, picture, refusal }) => (
            <li key={key}>
              <span class="thumb">{src && <img src={src} alt="" />}</span>
              <span class="grow">
                <span class="name">{name}</span>
                {refusal !== undefined ? (
                  <span class="problem-text" role="alert">
                    {refusal}
                  </span>
                ) : picture ? (
                  <span class="soft">
                    {picture.width} × {picture.height}, without hidden data
                  </span>
                ) : (
                  <progress value={sent} max={1} aria-label={`${name} is being sent`} />
                )}
              </span>
              <button type="button" class="quiet small" aria-label={`Remove ${name}`} onClick={() => void remove(key)}>
                Remove
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
