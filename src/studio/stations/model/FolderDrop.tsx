import { FolderUp } from 'lucide-react';
import { DropZone, FileTrigger, Text } from 'react-aria-components';
import { type DropEntry, droppedFiles } from '../../components/droppedFiles.ts';
import { Button } from '../../components/index.ts';

/** A place for a model's folder or its files. `folder` is the name where there is one. */
export function FolderDrop({ onFiles }: { onFiles: (files: File[], folder?: string) => void }) {
  return (
    <DropZone
      className="drop"
      onDrop={async (event) => {
        const files = await droppedFiles(event.items as DropEntry[]);
        const folder = event.items.find((item) => item.kind === 'directory')?.name;
        if (files.length) onFiles(files, folder);
      }}
    >
      <FolderUp size={22} aria-hidden />
      <Text slot="label">Drop a model's folder here, or its files</Text>
      <div className="drop-buttons">
        <FileTrigger
          acceptDirectory
          onSelect={(list) => {
            const files = [...(list ?? [])];
            const folder = files[0]?.webkitRelativePath.split('/')[0];
            if (files.length) onFiles(files, folder || undefined);
          }}
        >
          <Button>Choose a folder</Button>
        </FileTrigger>
        <FileTrigger
          allowsMultiple
          acceptedFileTypes={['.json', '.safetensors', '.bin', '.gguf', '.model']}
          onSelect={(list) => list?.length && onFiles([...list])}
        >
          <Button>Choose files</Button>
        </FileTrigger>
      </div>
      <span className="small muted">
        config.json, the weights (.safetensors or .bin) and the tokenizer; or one .gguf file. They stay on
        this computer.
      </span>
    </DropZone>
  );
}
